"""Cases of inputs that are files or secrets."""

import base64

from .asking import Prediction, fails, fetch_failed, refuses, succeeded, succeeds
from .loopback import URL
from .records import Case, Difference, Expected, Model


def data_uri(text: str, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{base64.b64encode(text.encode()).decode()}"


def path(text: str, name: str, suffix: str) -> dict[str, str]:
    return {"type": "Path", "suffix": suffix, "name_ends": name, "text": text}


def no_url(name: str) -> Expected:
    """A 422 that names an input which is no URL, in words of our own."""
    return Expected(
        status=422,
        fields={"detail": [{"loc": ["body", "input", name], "msg": NO_URL, "type": "value_error"}]},
    )


NO_URL = "Must be an http(s) URL or a data URI"
ABSENT = {"type": "NoneType", "value": None}
NOTES = data_uri("notes")

MODELS = (
    Model(
        name="a path",
        file="files.py",
        target="PathIn",
        cases=[
            succeeds("a data URI", {"path": NOTES}, path("notes", "file.txt", ".txt")),
            succeeds("a picture", {"path": data_uri("x", "image/png")}, path("x", "file.png", ".png")),
            succeeds("a media type that nobody knows", {"path": data_uri("x", "a/b")}, path("x", "file", "")),
            succeeds("a data URI without base64", {"path": "data:text/plain,a%20b"}, path("a b", "file.txt", ".txt")),
            succeeds("a data URI without a media type", {"path": "data:,plain"}, path("plain", "file.txt", ".txt")),
            succeeds(
                "a data URI with a charset",
                {"path": "data:text/html;charset=utf-8,<p>"},
                path("<p>", "file.html", ".html"),
            ),
            succeeds("an empty file", {"path": "data:text/plain,"}, path("", "file.txt", ".txt")),
            succeeds("a URL", {"path": f"{URL}/notes.txt"}, path("notes", "notes.txt", ".txt")),
            succeeds("a URL without an extension", {"path": f"{URL}/plain"}, path("plain", "plain", "")),
            succeeds(
                "a URL with a query", {"path": f"{URL}/photo.jpeg?size=large"}, path("large", "photo.jpeg", ".jpeg")
            ),
            succeeds(
                "a URL with a space", {"path": f"{URL}/with%20space.txt"}, path("space", "with space.txt", ".txt")
            ),
            succeeds("a URL that moved", {"path": f"{URL}/moved.bin"}, path("notes", "moved.bin", ".bin")),
            Case(
                name="a URL that is not there",
                ask=Prediction(input={"path": f"{URL}/nothing.txt"}),
                cog=fetch_failed("404 Client Error"),
                ours=fetch_failed("404"),
                because=Difference.DOWNLOAD,
            ),
            Case(
                name="a server that is not there",
                ask=Prediction(input={"path": "http://127.0.0.1:1/a.txt"}),
                cog=fetch_failed("Connection refused"),
                ours=fetch_failed("127.0.0.1"),
                because=Difference.DOWNLOAD,
            ),
            succeeds(
                "a path of the server",
                {"path": "/etc/hostname"},
                {"type": "str", "value": "/etc/hostname"},
                ours=no_url("path"),
                because=Difference.LOCAL_FILE,
            ),
            succeeds(
                "a file URL",
                {"path": "file:///etc/hostname"},
                {"type": "str", "value": "file:///etc/hostname"},
                ours=no_url("path"),
                because=Difference.LOCAL_FILE,
            ),
            succeeds(
                "an ftp URL",
                {"path": "ftp://127.0.0.1/a"},
                {"type": "str", "value": "ftp://127.0.0.1/a"},
                ours=no_url("path"),
                because=Difference.LOCAL_FILE,
            ),
            succeeds(
                "no text",
                {"path": ""},
                {"type": "str", "value": ""},
                ours=no_url("path"),
                because=Difference.LOCAL_FILE,
            ),
            refuses("a number", {"path": 1}, ("path", '1 is not of type "string"')),
            refuses("nothing", {}, ("path", "Field required")),
        ],
    ),
    Model(
        name="a path of some kinds",
        file="accepting.py",
        target="Accepting",
        since="0.22",
        cases=[
            succeeds("one of them", {"path": NOTES}, ".txt"),
            succeeds("another", {"path": data_uri("x", "application/pdf")}, ".pdf"),
        ],
    ),
    Model(
        name="a file",
        file="files.py",
        target="FileIn",
        cases=[
            succeeds("a data URI", {"file": NOTES}, {"type": "bytes", "text": "notes"}),
            succeeds("a URL", {"file": f"{URL}/notes.txt"}, {"type": "bytes", "text": "notes"}),
            fails(
                "a path of the server",
                {"file": "/etc/hostname"},
                "Prediction failed: AttributeError: 'str' object has no attribute 'read'",
                ours=no_url("file"),
                because=Difference.LOCAL_FILE,
            ),
            refuses("a number", {"file": 1}, ("file", '1 is not of type "string"')),
        ],
    ),
    Model(
        name="a list of paths",
        file="files.py",
        target="PathList",
        cases=[
            succeeds("none", {"paths": []}, []),
            succeeds("one", {"paths": [NOTES]}, [path("notes", "file.txt", ".txt")]),
            succeeds(
                "two kinds",
                {"paths": [NOTES, f"{URL}/picture.png"]},
                [path("notes", "file.txt", ".txt"), path("picture", "picture.png", ".png")],
            ),
            fails(
                "one that is a path of the server",
                {"paths": [NOTES, "/etc/hostname"]},
                f"Prediction failed: FileNotFoundError: [Errno 2] No such file or directory: '{NOTES}'",
                ours=no_url("paths/1"),
                because=Difference.LOCAL_FILE,
            ),
            refuses("a number among them", {"paths": [NOTES, 1]}, ("paths/1", '1 is not of type "string"')),
            refuses("no list", {"paths": NOTES}, ("paths", f'"{NOTES}" is not of type "array"')),
        ],
    ),
    Model(
        name="a list of files",
        file="files.py",
        target="FileList",
        cases=[
            succeeds("none", {"files": []}, []),
            succeeds("two kinds", {"files": [NOTES, f"{URL}/plain"]}, ["notes", "plain"]),
        ],
    ),
    Model(
        name="optional paths without a schema file",
        file="files.py",
        target="OptionalPath",
        schema=False,
        cases=[
            succeeds(
                "none given",
                {},
                {"image": ABSENT, "mask": ABSENT, "more": ABSENT},
            ),
            succeeds(
                "one given",
                {"image": NOTES},
                {
                    "image": path("notes", "file.txt", ".txt"),
                    "mask": ABSENT,
                    "more": ABSENT,
                },
            ),
        ],
    ),
    Model(
        name="optional paths",
        file="files.py",
        target="OptionalPath",
        cases=[
            refuses(
                "none given",
                {},
                ("image", "Field required"),
                ours=succeeded({"image": ABSENT, "mask": ABSENT, "more": ABSENT}),
                because=Difference.REQUIRED,
            ),
            succeeds(
                "one given",
                {"image": NOTES},
                {
                    "image": path("notes", "file.txt", ".txt"),
                    "mask": ABSENT,
                    "more": ABSENT,
                },
            ),
        ],
    ),
    Model(
        name="text that looks like a URL",
        file="files.py",
        target="TextUrl",
        cases=[
            succeeds("stays text", {"url": f"{URL}/notes.txt"}, ["str", f"{URL}/notes.txt", []]),
            succeeds("stays text in a list", {"url": NOTES, "urls": [NOTES]}, ["str", NOTES, [NOTES]]),
        ],
    ),
    Model(
        name="a file that is kept until the end",
        file="files.py",
        target="Kept",
        cases=[
            succeeds("the first call", {"path": NOTES}, ["gone", "notes", "notes", "notes"]),
            succeeds("its file is gone for the next", {"path": f"{URL}/plain"}, ["gone", "plain", "plain", "plain"]),
            succeeds("and so on", {"path": NOTES}, ["gone", "notes", "notes", "notes"]),
        ],
    ),
    Model(
        name="secrets",
        file="files.py",
        target="Secrets",
        cases=[
            succeeds(
                "both",
                {"key": "k", "other": "o"},
                {"type": "Secret", "shown": "********** Secret(**********)", "value": "k", "other": "o"},
            ),
            succeeds(
                "one",
                {"key": ""},
                {"type": "Secret", "shown": "********** Secret(**********)", "value": "", "other": None},
            ),
            refuses("a number", {"key": 1}, ("key", '1 is not of type "string"')),
            refuses("none", {}, ("key", "Field required")),
        ],
    ),
    Model(
        name="a list of secrets without a schema file",
        file="files.py",
        target="SecretList",
        schema=False,
        cases=[
            succeeds(
                "of two",
                {"keys": ["a", "b"]},
                ["str", "str"],
                ours=succeeded(["Secret", "Secret"]),
                because=Difference.WRAPPED,
            ),
        ],
    ),
)
