"""Cases of files and pictures."""

import io
from typing import Any

from PIL import Image

from .asking import call, posted, sent

TYPE = "content-type"


def picture(kind: str, size: tuple[int, int] = (3, 2)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


PNG, JPEG = picture("PNG"), picture("JPEG")


def part(content: bytes = b"content", name: str = "a.txt", media_type: str = "text/plain") -> tuple[str, bytes, str]:
    return (name, content, media_type)


def text(value: str) -> tuple[None, str]:
    return (None, value)


MIXED: dict[str, Any] = {
    "file": part(),
    "count": text("3"),
    "tags": text('["a","b"]'),
    "options": text('{"a":{"b":1}}'),
}

IN = (
    posted("a file", "/file_size", files={"file": part()}),
    posted("a file without a name's end", "/file_size", files={"file": part(name="none")}),
    posted("a file with an odd name", "/file_size", files={"file": part(name='../é ;".tar.gz')}),
    posted("an empty file", "/file_size", files={"file": part(b"")}),
    posted("a file of three megabytes", "/file_size", files={"file": part(b"0" * 3_000_000)}),
    posted("a file missing", "/file_size", 400, files={"other": part()}),
    posted("a file twice", "/file_size", files=[("file", part(b"one")), ("file", part(b"three"))]),
    posted("a file that is text", "/file_size", 500, files={"file": text("no address")}),
    posted("a file at an address within", "/file_size", 400, files={"file": text("http://127.0.0.1:1/a.txt")}),
    sent(
        "a root picture at an address within",
        "/image_root",
        b"http://127.0.0.1:1/a.png",
        (TYPE, "text/plain"),
        status=400,
    ),
    posted("a file of twenty megabytes", "/file_size", files={"file": part(b"0" * 20_000_000)}),
    call("a file in JSON", "/file_size", {"file": "a.txt"}, 400),
    sent("a file that is the body", "/file_size", b"content", (TYPE, "text/plain"), status=400),
    posted("a sound", "/file_sound", files={"sound": part(name="a.mp3", media_type="audio/mpeg")}),
    posted("a sound that is none", "/file_sound", 400, files={"sound": part()}),
    posted("several files", "/file_several", files=[("files", part()), ("files", part(b"b"))]),
    posted("several files that are one", "/file_several", files={"files": part()}),
    posted("several files that are none", "/file_several", 400, files={"other": part()}),
    posted("a file and fields", "/file_mixed", files=MIXED),
    posted("a file and a field at fault", "/file_mixed", 400, files={**MIXED, "count": text("many")}),
    posted(
        "a file and a field in a file",
        "/file_mixed",
        files={**MIXED, "count": part(b"4", "n.json", "application/json")},
    ),
    sent("a root file", "/file_root", b"content", (TYPE, "application/octet-stream")),
    posted("a root file in a form", "/file_root", 400, files={"file": part()}),
)

OUT = (
    *(
        call(f"give a file: {name}", "/file_text", {"name": name})
        for name in (
            "page.txt",
            "page.html",
            "data.json",
            "drawing.svg",
            "film.mp4",
            "blob",
            "blob.unknown",
            "é ü.txt",
            'a b;".txt',
        )
    ),
    call("give an empty file", "/file_text", {"text": ""}),
    call("give a typed file", "/file_typed"),
    call("give a typed file whose name says otherwise", "/file_typed", {"name": "a.wav"}),
    call("give a list of files", "/file_list", status=500),
    # Newer Starlettes give parts of what is asked for by GET alone.
    call("give a part of a file", "/file_text", {"text": "0123456789"}, None, headers=[("range", "bytes=2-4")]),
    call("give a part that is not there", "/file_text", {"text": "0123"}, None, headers=[("range", "bytes=9-")]),
)

PICTURES = (
    posted("a picture", "/image_size", files={"image": part(PNG, "a.png", "image/png")}),
    posted("a picture of another kind", "/image_size", files={"image": part(JPEG, "a.jpg", "image/jpeg")}),
    posted("a picture that says to be another", "/image_size", 500, files={"image": part(PNG, "a.jpg", "image/jpeg")}),
    posted("a picture that says nothing", "/image_size", files={"image": part(PNG, "a", "application/octet-stream")}),
    posted("a picture cut short", "/image_turned", 500, files={"image": part(PNG[:40], "a.png", "image/png")}),
    posted("a picture that is none", "/image_size", 500, files={"image": part(b"none", "a.png", "image/png")}),
    posted("a picture missing", "/image_size", 400, files={"other": part()}),
    posted("a picture turned", "/image_turned", files={"image": part(JPEG, "a.jpg", "image/jpeg")}),
    posted("a picture kept", "/image_kept", files={"image": part(JPEG, "a.jpg", "image/jpeg")}),
    sent("a root picture", "/image_root", PNG, (TYPE, "image/png")),
    sent("a root picture that is none", "/image_root", b"none", (TYPE, "image/png"), status=500),
    posted("a typed picture", "/image_typed", files={"image": part(JPEG, "a.jpg", "image/jpeg")}),
    posted("a picture of the wrong type", "/image_typed", files={"image": part(PNG, "a.png", "image/png")}),
    posted(
        "several pictures",
        "/image_several",
        files=[
            ("images", part(PNG, "a.png", "image/png")),
            ("images", part(JPEG, "b.jpg", "image/jpeg")),
            ("factor", text("0.5")),
        ],
    ),
    posted("an optional picture", "/image_optional", files={"image": part(PNG, "a.png", "image/png")}),
    call("an optional picture left out", "/image_optional"),
    call("a picture in JSON", "/image_size", {"image": "aGVsbG8="}, 500),
    call("a picture made", "/image_made", {"width": 3}),
)

CASES = (*IN, *OUT, *PICTURES)
