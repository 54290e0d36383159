"""Cases of apis whose input is the whole body."""

from .asking import JSON, call, posted, sent
from .named import ORDER

TEXT = ("content-type", "text/plain")
BYTES = ("content-type", "application/octet-stream")

CASES = (
    sent("text", "/root_str", b"hello", TEXT),
    sent("text of no type", "/root_str", b"hello"),
    sent("text in quotes", "/root_str", b'"hello"', JSON),
    sent("no text", "/root_str", b"", TEXT),
    sent("text with accents", "/root_str", "é \U0001f600".encode(), TEXT),
    sent("text that is no UTF-8", "/root_str", b"\xff", TEXT, status=400),
    posted("text in a form", "/root_str", 400, data={"text": "hello"}),
    sent("bytes", "/root_bytes", b"\x00\xff\x01", BYTES),
    sent("no bytes", "/root_bytes", b"", BYTES),
    sent("an integer", "/root_int", b"1", JSON),
    sent("an integer in text", "/root_int", b'"1"', JSON),
    sent("no integer", "/root_int", b"one", JSON, status=500),
    sent("an integer of the wrong kind", "/root_int", b"[]", JSON, status=400),
    sent("no integer at all", "/root_int", b"", JSON, status=400),
    sent("a boolean", "/root_bool", b"true", JSON),
    sent("a list", "/root_list", b"[1,2,3]", JSON),
    sent("an object for a list", "/root_list", b'{"numbers":[1]}', JSON, status=400),
    sent("a list with a fault", "/root_list", b'[1,"a"]', JSON, status=400),
    sent("an object", "/root_dict", b'{"a":1}', JSON),
    sent("an empty body for an object", "/root_dict", b"", JSON),
    call("a root model", "/root_model", ORDER),
    call("a root model at fault", "/root_model", {"items": 1}, 400),
    sent("a root model cut short", "/root_model", b'{"items":[', JSON, status=400),
    posted("a root model in a form", "/root_model", data={"items": '[{"name":"a"}]'}),
    sent("a root optional", "/root_optional", b"1", JSON),
    sent("a root optional, null", "/root_optional", b"null", JSON),
    sent("a root optional left out", "/root_optional", b"", JSON, status=400),
    sent("a root default left out", "/root_default", b"", JSON, status=400),
    sent("a root default given", "/root_default", b"8", JSON),
    sent("anything", "/root_any", b'{"a":[1.0,null]}', JSON),
    sent("anything cut short", "/root_any", b'{"a":', JSON, status=500),
    sent("anything that is NaN", "/root_any", b"[NaN]", JSON),
)
