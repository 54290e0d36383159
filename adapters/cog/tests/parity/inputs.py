"""Cases of plain inputs."""

from .asking import Prediction, fails, refused, refuses, succeeded, succeeds
from .records import Case, Difference, Model

SCALARS = {"text": "t", "count": 1, "ratio": 0.5, "flag": True}


def told(**changes: object) -> dict[str, object]:
    return {**SCALARS, **changes}


MODELS = (
    Model(
        name="scalars",
        file="scalars.py",
        target="Scalars",
        cases=[
            succeeds("each arrives as it is", told(), "str:'t' int:1 float:0.5 bool:True"),
            succeeds("an integer for a float stays one", told(ratio=3), "str:'t' int:1 int:3 bool:True"),
            succeeds(
                "a whole float for an integer stays one", told(count=3.0), "str:'t' float:3.0 float:0.5 bool:True"
            ),
            succeeds("text may be empty", told(text=""), "str:'' int:1 float:0.5 bool:True"),
            succeeds("text may be long", told(text="é" * 5000), f"str:'{'é' * 5000}' int:1 float:0.5 bool:True"),
            succeeds("a large integer", told(count=2**53 + 1), "str:'t' int:9007199254740993 float:0.5 bool:True"),
            succeeds("a negative integer", told(count=-7), "str:'t' int:-7 float:0.5 bool:True"),
            succeeds("an exponent", told(ratio=1e-300), "str:'t' int:1 float:1e-300 bool:True"),
            succeeds("an input that it does not have", told(extra=1), "str:'t' int:1 float:0.5 bool:True"),
            refuses("text for an integer", told(count="3"), ("count", '"3" is not of type "integer"')),
            refuses("a fraction for an integer", told(count=1.5), ("count", '1.5 is not of type "integer"')),
            refuses("true for an integer", told(count=True), ("count", 'true is not of type "integer"')),
            refuses("text for a float", told(ratio="0.5"), ("ratio", '"0.5" is not of type "number"')),
            refuses("true for a float", told(ratio=True), ("ratio", 'true is not of type "number"')),
            refuses("text for a flag", told(flag="true"), ("flag", '"true" is not of type "boolean"')),
            refuses("a number for a flag", told(flag=1), ("flag", '1 is not of type "boolean"')),
            refuses("a number for text", told(text=5), ("text", '5 is not of type "string"')),
            refuses("a list for text", told(text=["a"]), ("text", '["a"] is not of type "string"')),
            refuses("an object for text", told(text={"a": 1}), ("text", '{"a":1} is not of type "string"')),
            refuses("null for text", told(text=None), ("text", 'null is not of type "string"')),
            refuses("nothing at all", {}, *((name, "Field required") for name in SCALARS)),
            refuses("one missing", {"text": "t", "ratio": 0.5, "flag": True}, ("count", "Field required")),
            refuses(
                "two wrong",
                told(count="x", flag=0),
                ("count", '"x" is not of type "integer"'),
                ("flag", '0 is not of type "boolean"'),
            ),
            refuses(
                "one missing and one wrong",
                {"text": 5, "count": 1, "ratio": 0.5},
                ("text", '5 is not of type "string"'),
                ("flag", "Field required"),
            ),
        ],
    ),
    Model(
        name="scalars without a schema file",
        file="scalars.py",
        target="Scalars",
        schema=False,
        cases=[
            succeeds("each arrives as it is", told(), "str:'t' int:1 float:0.5 bool:True"),
            succeeds(
                "text for an integer",
                told(count="3"),
                "str:'t' str:'3' float:0.5 bool:True",
                ours=refused(("count", '"3" is not of type "integer"')),
                because=Difference.VALIDATED,
            ),
            fails(
                "an input that it does not have",
                told(extra=1),
                "Prediction failed: TypeError: Scalars.predict() got an unexpected keyword argument 'extra'",
                ours=succeeded("str:'t' int:1 float:0.5 bool:True"),
                because=Difference.VALIDATED,
            ),
            fails(
                "one missing",
                {"text": "t", "ratio": 0.5, "flag": True},
                "Prediction failed: TypeError: Scalars.predict() missing 1 required positional argument: 'count'",
                ours=refused(("count", "Field required")),
                because=Difference.VALIDATED,
            ),
        ],
    ),
    Model(
        name="defaults",
        file="scalars.py",
        target="Defaults",
        cases=[
            succeeds("none given", {}, "str:'hello' int:3 float:0.5 bool:False list:['a', 'b']"),
            succeeds("one given", {"count": 4}, "str:'hello' int:4 float:0.5 bool:False list:['a', 'b']"),
            succeeds(
                "all given",
                {"text": "x", "count": 0, "ratio": 0, "flag": True, "names": []},
                "str:'x' int:0 int:0 bool:True list:[]",
            ),
            refuses("null for one", {"count": None}, ("count", 'null is not of type "integer"')),
        ],
    ),
    Model(
        name="limits",
        file="scalars.py",
        target="Limits",
        cases=[
            succeeds("the defaults", {}, "int:5 float:0.5 str:'abc' str:'A1' str:'small' int:10 str:''"),
            succeeds(
                "the least",
                {"count": 1, "ratio": 0.0, "word": "ab"},
                "int:1 float:0.0 str:'ab' str:'A1' str:'small' int:10 str:''",
            ),
            succeeds(
                "the most",
                {"count": 10, "ratio": 1, "word": "éééé\U0001f600"},
                "int:10 int:1 str:'éééé\U0001f600' str:'A1' str:'small' int:10 str:''",
            ),
            succeeds(
                "other choices",
                {"size": "large", "steps": 50, "code": "Z9", "old": "used"},
                "int:5 float:0.5 str:'abc' str:'Z9' str:'large' int:50 str:'used'",
            ),
            refuses("below", {"count": 0}, ("count", "0 is less than the minimum of 1")),
            refuses("above", {"count": 11}, ("count", "11 is greater than the maximum of 10")),
            refuses("a float above", {"ratio": 1.5}, ("ratio", "1.5 is greater than the maximum of 1")),
            refuses("a float below", {"ratio": -0.5}, ("ratio", "-0.5 is less than the minimum of 0")),
            refuses("too short", {"word": "a"}, ("word", '"a" is shorter than 2 characters')),
            refuses("too long", {"word": "abcdef"}, ("word", '"abcdef" is longer than 5 characters')),
            refuses("no match", {"code": "a1"}, ("code", '"a1" does not match "^[A-Z][0-9]$"')),
            refuses("no match after a newline", {"code": "A1\n"}, ("code", '"A1\\n" does not match "^[A-Z][0-9]$"')),
            refuses(
                "no choice",
                {"size": "huge"},
                ("size", '"huge" is not one of ["small","large"]'),
            ),
            refuses(
                "no choice of numbers",
                {"steps": 11},
                ("steps", "11 is not one of [10,20,50]"),
            ),
            refuses(
                "a choice of another type",
                {"steps": "10"},
                ("steps", '"10" is not one of [10,20,50]'),
                ("steps", '"10" is not of type "integer"'),
            ),
        ],
    ),
    Model(
        name="optionals",
        file="scalars.py",
        target="Optionals",
        cases=[
            succeeds("none given", {}, "NoneType:None NoneType:None NoneType:None NoneType:None"),
            succeeds(
                "all given",
                {"first": "a", "second": 2, "third": 3, "fourth": False},
                "str:'a' int:2 int:3 bool:False",
            ),
            refuses("a wrong one", {"second": "2"}, ("second", '"2" is not of type "integer"')),
            refuses("one below its limit", {"third": -1}, ("third", "-1 is less than the minimum of 0")),
            refuses(
                "null",
                {"second": None},
                ("second", 'null is not of type "integer"'),
                ours=succeeded("NoneType:None NoneType:None NoneType:None NoneType:None"),
                because=Difference.NULL,
            ),
        ],
    ),
    Model(
        name="optionals without a schema file",
        file="scalars.py",
        target="Optionals",
        schema=False,
        cases=[
            succeeds(
                "null",
                {"first": None, "second": None, "third": None, "fourth": None},
                "NoneType:None NoneType:None NoneType:None NoneType:None",
            ),
            fails(
                "none given",
                {},
                "Prediction failed: TypeError: Optionals.predict() missing 1 required positional argument: 'first'",
                ours=succeeded("NoneType:None NoneType:None NoneType:None NoneType:None"),
                because=Difference.NULL,
            ),
        ],
    ),
    Model(
        name="none as a default",
        file="scalars.py",
        target="NoneDefault",
        cases=[
            succeeds("both given", {"text": "a", "count": 1}, "str:'a' int:1"),
            refuses(
                "none given",
                {},
                ("text", "Field required"),
                ("count", "Field required"),
                ours=succeeded("NoneType:None NoneType:None"),
                because=Difference.REQUIRED,
            ),
            refuses(
                "null",
                {"text": None, "count": 1},
                ("text", 'null is not of type "string"'),
                ours=succeeded("NoneType:None int:1"),
                because=Difference.NULL,
            ),
        ],
    ),
    Model(
        name="none as a default without a schema file",
        file="scalars.py",
        target="NoneDefault",
        schema=False,
        cases=[succeeds("none given", {}, "NoneType:None NoneType:None")],
    ),
    Model(
        name="unions",
        file="scalars.py",
        target="Unions",
        cases=[
            succeeds("the first of each", {"number_or_text": 1, "real_or_flag": 0.5}, "int:1 float:0.5 str:'one'"),
            succeeds(
                "the second of each",
                {"number_or_text": "1", "real_or_flag": False, "text_or_list": ["a"]},
                "str:'1' bool:False list:['a']",
            ),
            succeeds("an integer for a float", {"number_or_text": "", "real_or_flag": 2}, "str:'' int:2 str:'one'"),
            refuses(
                "true for a number or text",
                {"number_or_text": True},
                ("number_or_text", "true is not valid under any of the schemas listed in the 'anyOf' keyword"),
            ),
            refuses(
                "a list of the wrong items",
                {"number_or_text": 1, "text_or_list": [1]},
                ("text_or_list", "[1] is not valid under any of the schemas listed in the 'anyOf' keyword"),
            ),
        ],
    ),
    Model(
        name="lists",
        file="documents.py",
        target="Lists",
        cases=[
            succeeds(
                "the defaults",
                {"whole": [1, 2]},
                {"whole": [1, 2], "words": ["w"], "real": [1.0], "objects": [], "anything": []},
            ),
            succeeds(
                "all given",
                {"whole": [], "words": ["a", ""], "real": [1, 2.5], "objects": [{"a": {"b": 1}}], "anything": [{}]},
                {"whole": [], "words": ["a", ""], "real": [1, 2.5], "objects": [{"a": {"b": 1}}], "anything": [{}]},
            ),
            refuses("a wrong item", {"whole": [1, "2"]}, ("whole/1", '"2" is not of type "integer"')),
            refuses(
                "two wrong items",
                {"whole": ["1", None]},
                ("whole/0", '"1" is not of type "integer"'),
                ("whole/1", 'null is not of type "integer"'),
            ),
            refuses("one value for a list", {"whole": 1}, ("whole", '1 is not of type "array"')),
            refuses("null for a list", {"whole": None}, ("whole", 'null is not of type "array"')),
            refuses(
                "an item that is no object", {"whole": [], "objects": [1]}, ("objects/0", '1 is not of type "object"')
            ),
            refuses(
                "anything but an object", {"whole": [], "anything": [1]}, ("anything/0", '1 is not of type "object"')
            ),
        ],
    ),
    Model(
        name="a bare list",
        file="documents.py",
        target="BareList",
        schema=False,
        cases=[
            succeeds("of anything", {"anything": [1, "a", None, {}]}, {"anything": [1, "a", None, {}]}),
            succeeds("of nothing", {"anything": []}, {"anything": []}),
        ],
    ),
    Model(
        name="objects",
        file="documents.py",
        target="Objects",
        cases=[
            succeeds(
                "the defaults",
                {"anything": {"free": 1}},
                {"anything": {"free": 1}, "free": {}, "numbers": {"a": 1}, "point": {"x": 0, "y": 0}},
            ),
            succeeds(
                "all given",
                {"anything": {}, "free": {"a": [1, None]}, "numbers": {"n": 2}, "point": {"x": 1, "y": 2}},
                {"anything": {}, "free": {"a": [1, None]}, "numbers": {"n": 2}, "point": {"x": 1, "y": 2}},
            ),
            refuses("a list for an object", {"anything": {}, "free": [1]}, ("free", '[1] is not of type "object"')),
            succeeds(
                "a value and a field of another type",
                {"anything": {}, "numbers": {"n": "2"}, "point": {"x": "1"}},
                {"anything": {}, "free": {}, "numbers": {"n": "2"}, "point": {"x": "1"}},
            ),
            succeeds(
                "a field more",
                {"anything": {}, "point": {"x": 1, "y": 2, "z": 3}},
                {"anything": {}, "free": {}, "numbers": {"a": 1}, "point": {"x": 1, "y": 2, "z": 3}},
            ),
            refuses("text for anything", {"anything": "text"}, ("anything", '"text" is not of type "object"')),
            refuses("null for anything", {"anything": None}, ("anything", 'null is not of type "object"')),
            refuses("no anything", {}, ("anything", "Field required")),
        ],
    ),
    Model(
        name="opaque inputs",
        file="opaque.py",
        target="Opaques",
        since="0.20",
        cases=[
            succeeds(
                "passed through",
                {"one": {"x": "anything"}, "many": [{"y": None}, {}]},
                {"one": {"x": "anything"}, "many": [{"y": None}, {}], "types": ["dict", "list"]},
            ),
            refuses("text for an opaque object", {"one": "text"}, ("one", '"text" is not of type "object"')),
            refuses("an object for a list", {"one": {}, "many": {}}, ("many", '{} is not of type "array"')),
        ],
    ),
    Model(
        name="inputs of another shape",
        file="scalars.py",
        target="Defaults",
        cases=[
            Case(name="a list", ask=Prediction(input=[1]), cog=refused(("__root__", '[1] is not of type "object"'))),
            Case(name="text", ask=Prediction(input="x"), cog=refused(("__root__", '"x" is not of type "object"'))),
            Case(name="a number", ask=Prediction(input=1), cog=refused(("__root__", '1 is not of type "object"'))),
            Case(
                name="null",
                ask=Prediction(input=None),
                cog=succeeded("str:'hello' int:3 float:0.5 bool:False list:['a', 'b']"),
            ),
        ],
    ),
)
