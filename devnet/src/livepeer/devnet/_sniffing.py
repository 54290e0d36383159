"""Guesses a content type from the first bytes, as Go's `http.DetectContentType` does for the gateway."""

_SNIFFED_BYTES = 512
_WHITESPACE = b"\t\n\x0c\r "
_BINARY = frozenset(range(0x20)) - frozenset(b"\t\n\x0c\r\x1b")
_TAG_ENDS = b" >"
_XML = b"<?xml"

_HTML_TAGS = tuple(
    b"<" + tag
    for tag in (
        b"!DOCTYPE HTML", b"HTML", b"HEAD", b"SCRIPT", b"IFRAME", b"H1", b"DIV", b"FONT", b"TABLE", b"A", b"STYLE",
        b"TITLE", b"B", b"BODY", b"BR", b"P", b"!--",
    )
)  # fmt: skip

_PREFIXES = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff", "text/plain; charset=utf-16be"),
    (b"\xff\xfe", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00asm", "application/wasm"),
)

_CONTAINERS = (
    (b"RIFF", b"WEBPVP", "image/webp"),
    (b"RIFF", b"AVI ", "video/avi"),
    (b"RIFF", b"WAVE", "audio/wave"),
    (b"FORM", b"AIFF", "audio/aiff"),
)


def sniff_content_type(body: bytes) -> str:
    """Return the media type that Go would give this body; JSON is `text/plain; charset=utf-8` to it."""
    head = body[:_SNIFFED_BYTES]
    return _markup(head) or _magic(head) or _text(head)


def _markup(head: bytes) -> str | None:
    text = head.lstrip(_WHITESPACE)
    if any(_starts_with_tag(text, tag) for tag in _HTML_TAGS):
        return "text/html; charset=utf-8"
    return "text/xml; charset=utf-8" if text.startswith(_XML) else None


def _starts_with_tag(text: bytes, tag: bytes) -> bool:
    end = text[len(tag) : len(tag) + 1]
    return text[: len(tag)].upper() == tag and end != b"" and end in _TAG_ENDS


def _magic(head: bytes) -> str | None:
    for prefix, media_type in _PREFIXES:
        if head.startswith(prefix):
            return media_type
    for form, kind, media_type in _CONTAINERS:
        if head.startswith(form) and head[8:].startswith(kind):
            return media_type
    return "video/mp4" if _is_mp4(head) else None


def _is_mp4(head: bytes) -> bool:
    """Whether an ISO box of type `ftyp` begins here, with an `mp4` brand among its brands."""
    size = int.from_bytes(head[:4], "big")
    if len(head) < 12 or size > len(head) or size % 4 or head[4:8] != b"ftyp":
        return False
    return any(head[at : at + 3] == b"mp4" for at in range(8, size, 4) if at != 12)


def _text(head: bytes) -> str:
    return "application/octet-stream" if _BINARY.intersection(head) else "text/plain; charset=utf-8"
