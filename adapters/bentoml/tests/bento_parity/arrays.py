"""Cases of arrays and tables."""

from .asking import JSON, call, posted, sent

ROWS = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
COLUMNS = {"a": [1, 3], "b": [2, 4]}

CASES = (
    call("an array", "/array_kind", {"array": [[1, 2], [3, 4]]}),
    call("an array of fractions", "/array_kind", {"array": [0.5]}),
    call("an array of one number", "/array_kind", {"array": 5}),
    call("an empty array", "/array_kind", {"array": []}),
    call("an array of text", "/array_kind", {"array": ["a", "bc"]}),
    call("a ragged array", "/array_kind", {"array": [[1], [2, 3]]}, 400),
    call("no array", "/array_kind", {"array": None}),
    call("an array reshaped", "/array_shaped", {"array": [1, 2, 3, 4]}),
    call("an array that has no such shape", "/array_shaped", {"array": [1, 2, 3]}, 400),
    call("an array that has no such type", "/array_shaped", {"array": ["a", "b"]}, 400),
    call("an array that is rounded", "/array_integral", {"array": [1.7, 2]}),
    call("an array of numbers in text", "/array_integral", {"array": ["1"]}),
    sent("a root array", "/array_root", b"[[1,2],[3,4]]", JSON),
    sent("a root array cut short", "/array_root", b"[[1,2],[3", JSON, status=500),
    call("an array with a NaN", "/array_scalar", {"array": [None, 1]}, 500),
    call("an array's number", "/array_scalar", {"array": [0.5, 1]}),
    call("a number of numpy's", "/array_numpy_scalar", {"array": [0.5, 1]}),
    call("several arrays", "/array_lists", {"arrays": [[1], [[2]]]}),
    call("an array of words", "/array_of_strings", {"words": ["a", "é"]}),
    call("an array in a model", "/array_in_model", {"vectors": {"embedding": [1, 2.5]}}),
    posted("an array in a form", "/array_integral", data={"array": "[1,2]"}),
    call("a table by rows", "/table_records", {"table": ROWS}),
    call("a table by rows, from columns", "/table_records", {"table": COLUMNS}),
    call("a table by columns", "/table_columns", {"table": COLUMNS}),
    call("a table by columns, from rows", "/table_columns", {"table": ROWS}),
    call("a table with other columns", "/table_columns", {"table": {"c": [1]}}),
    call("a table whose columns differ", "/table_records", {"table": {"a": [1], "b": [1, 2]}}, 400),
    call("no table", "/table_records", {"table": "text"}, 400),
    call("an empty table", "/table_records", {"table": []}),
    call("a root table", "/table_root", ROWS),
    call("a table with gaps", "/table_with_gaps"),
)
