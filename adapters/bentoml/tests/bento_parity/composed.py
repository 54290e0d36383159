"""Cases of services that depend on each other."""

from .asking import call, got, posted
from .files import PNG, part
from .streams import streamed

CODES = (401, 403, 404, 409, 429, 500, 503)
KEPT = ("tuple", "none", "set", "keys", "array")

CASES = (
    call("composed: sync of sync", "/sync_of_sync", {"text": "a b"}),
    call("composed: async of sync", "/async_of_sync", {"text": "a b"}),
    call("composed: async of async", "/async_of_async", {"text": {"text": "abc"}}),
    call("composed: through two", "/through_two", {"text": "a b c"}),
    call("composed: an array", "/of_array", {"array": [[1, 2]]}),
    posted("composed: a file", "/of_file", files={"file": part()}),
    call("composed: a batch", "/of_batch", {"texts": ["a", "bc"]}),
    call("composed: refused", "/refused", {"text": "a"}, 400),
    *(call(f"composed: failed with {code}", "/failed", {"code": code}, code) for code in CODES),
    *(call(f"composed: caught {code}", "/caught", {"code": code}) for code in CODES),
    *(call(f"composed: {kind} kept", "/kept", {"kind": kind}) for kind in KEPT),
    call("composed: caught what it did not mean", "/caught", {"code": 1}),
    call("composed: bytes kept", "/kept", {"kind": "bytes"}, 500),
    call("composed: a model", "/kind_of_model"),
    call("composed: an argument by position", "/by_position"),
    call("composed: a mapping for a model", "/by_mapping"),
    call("composed: contexts apart", "/told_apart"),
    call("composed: headers apart", "/told_apart", headers=[("x-outer", "yes")]),
    call("composed: folders apart", "/folder_apart"),
    posted("composed: a picture", "/of_picture", files={"image": part(PNG, "a.png", "image/png")}),
    call("composed: a table", "/of_table", {"table": [{"a": 1}]}),
    call("composed: a file that is written within", "/of_written_file"),
    call("composed: an argument missing", "/missing_argument", status=400),
    call("composed: an argument more", "/more_arguments"),
    streamed("composed, counted", "/counted_one", [{"number": 0}]),
    call("composed: crashed", "/crashed", status=500),
    call("composed: a misfit", "/misfit", status=400),
    streamed("composed, passed on", "/passed_on", ["one"], {"text": "one"}),
    streamed("composed, by oneself", "/by_oneself", ["a", "b"], {"text": "a b"}),
    call("composed: an api of a dependency", "/tokens", {"text": "a"}, 404),
    got("composed: the schema", "/schema.json"),
)
