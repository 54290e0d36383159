"""Cases of outputs."""

import base64

from .asking import failed, fails, succeeded, succeeds
from .records import Case, Difference, Matching, Model


def file(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


CONTENT = file(b"content", "text/plain")
NO_NUMBER = "Failed to parse output JSON: expected value at line 1 column 1"
NOT_BYTES = "Failed to read IOBase: TypeError: Can't extract `str` to `Vec`"
REPORT = {"title": "t", "score": 0.5, "note": None, "file": None}


def gives(kind: str, output: object, **more: object) -> Case:
    return succeeds(kind, {"kind": kind}, output, **more)


def breaks(kind: str, error: str, **more: object) -> Case:
    return fails(kind, {"kind": kind}, error, **more)


def unserializable(name: str) -> str:
    return f"Failed to serialize output: TypeError: Object of type {name} is not JSON serializable"


MODELS = (
    Model(
        name="values",
        file="outputs.py",
        target="Values",
        cases=[
            gives("text", "héllo \u2028 \U0001f600"),
            gives("empty text", ""),
            gives("integer", 7),
            gives("large integer", 2**53 + 1),
            gives("huge integer", 1.1805916207174112e21, ours=succeeded(2**70), because=Difference.PRECISION),
            gives("negative", -3),
            gives("float", 1.5),
            gives("whole float", 2.0),
            gives("tiny float", 1e-300),
            gives("true", True),
            gives("none", None),
            gives("dict", {"b": 1, "a": {"c": [1, 2.5, None, "x"]}}),
            gives("integer keys", {"1": "one", "2": "two"}),
            gives("list", [1, "two", [3]]),
            gives("tuple", [1, [2, 3]]),
            gives("set", [5]),
            gives("frozenset", ["f"]),
            gives("empty list", []),
            breaks("nan", NO_NUMBER, ours=failed(Matching("nan")), because=Difference.OUTPUT_WORDS),
            breaks("infinity", NO_NUMBER, ours=failed(Matching("inf")), because=Difference.OUTPUT_WORDS),
            gives("enum", "red"),
            gives("integer enum", 2),
            gives("datetime", "2024-01-02T03:04:05+00:00"),
            breaks("date", unserializable("date"), ours=succeeded("2024-01-02"), because=Difference.ENCODED),
            breaks(
                "bytes",
                unserializable("bytes"),
                ours=succeeded(file(b"raw", "application/octet-stream")),
                because=Difference.ENCODED,
            ),
            breaks("object", unserializable("object")),
            gives("secret", {"secret_value": "hidden"}, ours=succeeded("**********"), because=Difference.SECRET),
            gives(
                "nested secret",
                {"key": {"secret_value": "hidden"}},
                ours=succeeded({"key": "**********"}),
                because=Difference.SECRET,
            ),
            gives("range generator", [0, 1, 4]),
        ],
    ),
    Model(
        name="files that are made",
        file="outputs.py",
        target="Files",
        cases=[
            gives("text file", CONTENT),
            gives("png", file(b"\x89PNG", "image/png")),
            gives("webp", file(b"RIFF", "image/webp")),
            gives("no extension", file(b"content", "application/octet-stream")),
            gives("odd extension", file(b"content", "application/octet-stream")),
            gives("standard path", file(b"{}", "application/json")),
            gives("empty file", "data:text/plain;base64,"),
            gives("missing", None, ours=failed(Matching("all.txt")), because=Difference.MISSING_FILE),
            gives("open file", file(b"content", "audio/mpeg")),
            breaks("open text", NOT_BYTES, ours=succeeded(file("é".encode(), "text/csv")), because=Difference.ENCODED),
            gives("bytes stream", file(b"stream", "application/octet-stream")),
            gives("read bytes stream", file(b"stream", "application/octet-stream")),
            gives("named bytes stream", file(b"named", "image/png")),
            breaks(
                "text stream",
                NOT_BYTES,
                ours=succeeded(file(b"text", "text/plain")),
                because=Difference.ENCODED,
            ),
            gives("list", [file(b"1", "text/plain"), file(b"2", "text/plain")]),
            gives("dict", {"file": CONTENT, "size": 7}),
            gives("deep", {"all": [{"file": CONTENT}, [file(b"content", "application/octet-stream")]]}),
        ],
    ),
    Model(
        name="one path",
        file="outputs.py",
        target="OnePath",
        cases=[
            succeeds("small", {"text": "abc"}, file(b"abc", "text/plain")),
            succeeds("large", {"text": "a" * 1_000_000}, file(b"a" * 1_000_000, "text/plain")),
        ],
    ),
    Model(
        name="a model of cog's",
        file="outputs.py",
        target="Reports",
        cases=[
            succeeds("without a file", {"title": "t"}, REPORT),
            succeeds("with a file", {"title": "t", "with_file": True}, {**REPORT, "file": CONTENT}),
        ],
    ),
    Model(
        name="records",
        file="outputs.py",
        target="Records",
        cases=[
            gives("pydantic", {"title": "t", "parts": [1, 2], "note": None}),
            gives("dataclass", {"title": "d", "inner": None, "colour": "red"}),
            gives("list of pydantic", [{"title": "t", "parts": [], "note": None}]),
            gives("dict of dataclass", {"one": {"title": "d", "inner": None, "colour": "red"}}),
            gives("cog model in a list", [{**REPORT, "score": 1.0}]),
        ],
    ),
    Model(
        name="numpy",
        file="outputs.py",
        target="Numpy",
        cases=[
            gives("vector", [1, 2, 3]),
            gives("matrix", [[0.5, 1.5], [2.5, 3.5]]),
            gives("float32", 0.5),
            gives("float64", 0.25),
            gives("int64", 9),
            gives("uint8", 255),
            breaks("bool", unserializable("bool"), ours=succeeded(True), because=Difference.ENCODED),
            gives("nested", {"array": [0.0, 0.0], "n": [1]}),
            gives("flags", [True, False]),
            gives("text", ["a", "b"]),
        ],
    ),
    Model(
        name="nothing",
        file="outputs.py",
        target="Nothing",
        schema=False,
        cases=[succeeds("text", {"text": "a"}, "a"), succeeds("none", {}, None)],
    ),
)
