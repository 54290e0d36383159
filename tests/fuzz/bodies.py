"""Bodies as nobody should send them."""

import base64
import gzip
import json
from collections.abc import Iterator
from random import Random

KINDS = (b"Content-Type: application/json", b"Content-Type: multipart/form-data; boundary=b", b"X-Request-Id: fuzz-1")

MEDIA_TYPES = (
    b"", b" ", b";", b"/", b"json", b"application", b"application/", b"/json", b"application/json;",
    b"APPLICATION/JSON", b"application/json; charset=utf-16", b"application/json; charset=\xff",
    b"application/json, text/plain", b"\xff/\xff", b"application/json\r\nContent-Type: text/plain",
    b"text/plain\r\nContent-Type: application/json", b"text/plain", b"application/problem+json", b"application/+json",
    b"+json", b"application/x-www-form-urlencoded", b"image/png", b"application/octet-stream", b"multipart/form-data",
    b"multipart/form-data; boundary=", b"multipart/form-data; boundary", b"multipart/form-data; boundary=\"",
    b"multipart/form-data; boundary=\xff", b"multipart/form-data; boundary=" + b"b" * 5_000,
    b"multipart/form-data; boundary=b; charset=nothing", b"multipart/form-data; boundary*=utf-8''b",
    b"multipart/mixed; boundary=b", b"multipart/form-data; boundary=b; boundary=c", b"a" * 60_000,
    b"a/" + b"b" * 60_000, b"*/*", b"text/event-stream", b"\t",
)  # fmt: skip

_CHARSETS = (
    b"utf-7", b"utf-16", b"idna", b"punycode", b"undefined", b"unicode_escape", b"raw_unicode_escape", b"hex",
    b"base64", b"rot13", b"zlib", b"mbcs", b"utf-8-sig", b"cp037", b"a" * 5_000, b"../../x", b"\xff", b"",
)  # fmt: skip

_SURROGATE = rb"\ud800"


def documents(example: bytes) -> Iterator[tuple[str, bytes]]:
    """JSON documents, and what claims to be one."""
    fields: dict[str, object] = json.loads(example)
    yield "none", b""
    for label, text in _HOSTILE.items():
        yield label, text
        for name in fields:
            yield f"{name} is {label}", _with(fields, name, text)
    for name in fields:
        yield f"without {name}", json.dumps({key: value for key, value in fields.items() if key != name}).encode()
        yield f"{name} twice", example[:-1] + b', "%b": null}' % name.encode()
    yield "an unknown field", example[:-1] + b', "unknown": 1}'
    yield "10,000 unknown fields", example[:-1] + b"".join(b', "k%d": 1' % number for number in range(10_000)) + b"}"
    yield "a name that is no text", b'{"' + _SURROGATE + b'": 1, "\\u0000": 2}'
    yield "with a byte order mark", b"\xef\xbb\xbf" + example
    yield "in UTF-16", example.decode().encode("utf-16")
    yield "in UTF-32", example.decode().encode("utf-32")
    yield "packed", gzip.compress(example, mtime=0)
    yield "twice", example + example
    yield "with a comma at its end", example[:-1] + b",}"
    for size in (1, 2, len(example) // 2, len(example) - 1):
        yield f"the first {size} bytes", example[:size]


_HOSTILE = {
    "null": b"null", "true": b"true", "a number": b"1", "a negative number": b"-1", "minus zero": b"-0",
    "a fraction": b"1.5", "a huge number": b"1e400", "a tiny number": b"1e-400", "NaN": b"NaN",
    "Infinity": b"-Infinity", "64 bits": b"18446744073709551616", "4,300 digits": b"9" * 4_300,
    "5,000 digits": b"9" * 5_000, "10 MB of digits": b"9" * 10_000_000, "a leading zero": b"01", "a text": b'"text"',
    "an empty text": b'""', "a NUL": b'"\\u0000"', "a raw NUL": b'"\x00"', "a raw newline": b'"a\nb"',
    "a lone surrogate": b'"' + _SURROGATE + b'"', "two low surrogates": rb'"\udc00\udc00"', "no UTF-8": b'"\xff\xfe"',
    "an encoded surrogate": b'"\xed\xa0\x80"', "a bad escape": rb'"\x41"', "half an escape": rb'"\u12"',
    "[DONE]": b'"[DONE]"', "an event": rb'"data: [DONE]\n\nevent: error\n\n"', "bad base64": b'"a"',
    "padding": b'"===="', "url-safe base64": b'"-_-_"', "a long text": b'"' + b"x" * 1_000_000 + b'"',
    "an open text": b'"text', "a single quote": b"'text'", "a comment": b"/* */ 1", "an array": b"[]",
    "an object": b"{}", "an open array": b"[", "an open object": b"{", "a nested null": b'[{"a": [null]}]',
    "100,000 brackets": b"[" * 100_000, "100,000 closed brackets": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "300 brackets": b"[" * 300 + b"]" * 300,
    "100,000 items": b"[" + b"0," * 99_999 + b"0]", "long items": b"[" + b'"%b"' % (b"y" * 70_000) + b"]",
    "spaces": b" " * 100_000, "code": b"__import__('os')", "a template": b'"{{7*7}} ${7*7} %s %n"',
    "markup": b'"<script>alert(1)</script>"',
}  # fmt: skip


def forms(example: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Label, media type and body of forms, good and bad."""
    fields: dict[str, object] = json.loads(example)
    good = b"".join(_part(name, _as_text(value)) for name, value in fields.items()) + b"--b--\r\n"
    media_type = b"multipart/form-data; boundary=b"
    yield "whole", media_type, good
    for charset in _CHARSETS:
        content = b"".join(_part(name, rb'["\ud800", +2AA-]') for name in fields) + b"--b--\r\n"
        yield f"in {charset[:20]!r}", media_type + b"; charset=" + charset, good
        yield f"with surrogates in {charset[:20]!r}", media_type + b"; charset=" + charset, content
    for label, text in _HOSTILE.items():
        if len(text) < 2_000_000:
            yield f"of {label}", media_type, b"".join(_part(name, text) for name in fields) + b"--b--\r\n"
            yield f"with a file of {label}", media_type, b"".join(_file(name, text) for name in fields) + b"--b--\r\n"
    for label, body in _broken(good):
        yield label, media_type, body
        yield f"{label}, in quotes", b'multipart/form-data; boundary="b"', body
    yield "another boundary", b"multipart/form-data; boundary=c", good


def _broken(good: bytes) -> Iterator[tuple[str, bytes]]:
    head = b'--b\r\nContent-Disposition: form-data; name="a"'
    yield "nothing", b""
    yield "an end alone", b"--b--\r\n"
    yield "no parts", b"--b\r\n--b--\r\n"
    yield "no end", good[:-7]
    yield "text before", b"preamble\r\n" + good
    yield "text after", good + b"epilogue" * 100
    yield "bare line feeds", good.replace(b"\r\n", b"\n")
    yield "no disposition", b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
    yield "no name", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    yield "an empty name", b'--b\r\nContent-Disposition: form-data; name=""\r\n\r\nx\r\n--b--\r\n'
    yield "a name that is no text", b'--b\r\nContent-Disposition: form-data; name="\xff\x00"\r\n\r\nx\r\n--b--\r\n'
    yield "a coded name", b"--b\r\nContent-Disposition: form-data; name*=utf-7''+2AA-\r\n\r\nx\r\n--b--\r\n"
    yield "an open quote", b'--b\r\nContent-Disposition: form-data; name="a\r\n\r\nx\r\n--b--\r\n'
    yield "a path as a file name", head + b'; filename="../../../etc/passwd"\r\n\r\nx\r\n--b--\r\n'
    yield "NUL in a file name", head + b'; filename="a\x00b"\r\n\r\nx\r\n--b--\r\n'
    yield "a header without a colon", head + b"\r\nnonsense\r\n\r\nx\r\n--b--\r\n"
    yield "a long header", head + b"\r\nX: " + b"x" * 200_000 + b"\r\n\r\nx\r\n--b--\r\n"
    yield "many headers", head + b"\r\n" + b"X: x\r\n" * 5_000 + b"\r\nx\r\n--b--\r\n"
    yield "another transfer encoding", head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--\r\n"
    yield "2,000 parts", _part("a", b"x") * 2_000 + b"--b--\r\n"
    yield "2,000 files", _file("a", b"x") * 2_000 + b"--b--\r\n"
    yield "a text and a file of one name", _part("a", b"x") + _file("a", b"x") + b"--b--\r\n"


def mutate(random: Random, example: bytes) -> bytes:
    """A document near the example: its fields changed for others, or its bytes damaged."""
    fields: dict[str, object] = json.loads(example)
    if random.random() < 0.3:
        return damage(random, example)
    small = [text for text in _HOSTILE.values() if len(text) < 1_000]
    names = [*fields, "unknown", "", "\u0000"]
    document = example
    for _ in range(random.randint(1, 3)):
        value = random.choice(small) if random.random() < 0.5 else json.dumps(_value(random, 3)).encode()
        document = document.rstrip(b"}") + b", " + json.dumps(random.choice(names)).encode() + b": " + value + b"}"
    return document


def damage(random: Random, content: bytes) -> bytes:
    """One small harm: bytes flipped, cut out, doubled, moved or put in."""
    start = random.randint(0, len(content))
    end = min(len(content), start + random.randint(1, 12))
    part = content[start:end]
    match random.randint(0, 5):
        case 0:
            part = bytes(byte ^ (1 << random.randint(0, 7)) for byte in part)
        case 1:
            part = b""
        case 2:
            part *= random.randint(2, 50)
        case 3:
            part = random.choice(_TOKENS)
        case 4:
            part += random.choice(_TOKENS)
        case _:
            return content[:start]
    return content[:start] + part + content[end:]


_TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b" ", b":", b"%", b"..", b"HTTP/1.1",
    b"GET / HTTP/1.1\r\n\r\n", b"Content-Length: 3\r\n", b"Content-Length: 99999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"{", b"[", b'"', b"-", b"9" * 400, b"\xed\xa0\x80",
)  # fmt: skip


def _value(random: Random, depth: int) -> object:
    kind = random.randint(0, 7 if depth else 5)
    match kind:
        case 0:
            return random.choice((None, True, False))
        case 1:
            return random.randint(-(2**70), 2**70)
        case 2:
            return random.choice((0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), random.random()))
        case 3:
            return "".join(
                chr(random.choice((random.randint(0, 127), random.randint(0xD800, 0x10FFF)))) for _ in range(8)
            )
        case 4:
            return base64.b64encode(random.randbytes(random.randint(0, 20))).decode()
        case 5:
            return random.choice(("", "red", "fast", "1", "[DONE]"))
        case 6:
            return [_value(random, depth - 1) for _ in range(random.randint(0, 4))]
        case _:
            return {str(random.randint(0, 9)): _value(random, depth - 1) for _ in range(random.randint(0, 4))}


def _with(fields: dict[str, object], name: str, text: bytes) -> bytes:
    parts = [
        json.dumps(key).encode() + b": " + (text if key == name else json.dumps(value).encode())
        for key, value in fields.items()
    ]
    return b"{" + b", ".join(parts) + b"}"


def _as_text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def _part(name: str, content: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), content)


def _file(name: str, content: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"; filename="f"\r\n\r\n%b\r\n' % (name.encode(), content)
