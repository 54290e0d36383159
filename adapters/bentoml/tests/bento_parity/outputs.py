"""Cases of what apis give back."""

from .asking import call

VALUES = (
    "str", "empty", "bytes", "int", "float", "integral", "none", "true", "list", "dict", "tuple", "set", "nan", "inf",
    "model", "models", "pair", "size", "time", "delta", "decimal", "keys",
)  # fmt: skip
WITHOUT_FORM = {"object": 500, "surrogate": 500, "circle": 500, "no such": 500}
RESPONSES = {
    "json": 201, "text": 418, "html": 200, "redirect": 307, "empty": 204, "unmodified": 304, "untyped": 200,
    "unauthorized": 401, "stream": 200, "cookies": 200,
}  # fmt: skip
DECLARED = (
    "str", "bytes", "text_bytes", "int", "float", "nan", "bool", "none", "model", "models", "optional_model", "pair",
    "untyped", "html", "picture_bytes", "yaml",
)  # fmt: skip

CASES = (
    *(call(f"give a value: {name}", "/value", {"name": name}) for name in VALUES),
    *(call(f"give a value: {name}", "/value", {"name": name}, status) for name, status in WITHOUT_FORM.items()),
    *(call(f"give as declared: {name}", f"/give_{name}") for name in DECLARED),
    call("give no model", "/give_optional_model", {"there": False}),
    call("give a document for a model", "/give_document_for_model", status=500),
    call("give text for a number", "/give_wrong", status=400),
    call("give a number in text", "/give_number_in_text"),
    call("give three megabytes", "/give_much", {"size": 3_000_000}),
    call("give a generator", "/give_generator"),
    call("give an async generator", "/give_async_generator"),
    *(call(f"respond: {kind}", "/respond", {"kind": kind}, status) for kind, status in RESPONSES.items()),
)
