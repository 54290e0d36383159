"""Heads as nobody should send them: first lines, targets, headers, lengths, chunks."""

from collections.abc import Iterator
from random import Random

from .case import Case, chunked, request, show


def first_lines() -> Iterator[Case]:
    lines = (
        b"GET /health", b"GET", b"GET ", b" GET /health HTTP/1.1", b"GET  /health  HTTP/1.1",
        b"GET\t/health\tHTTP/1.1", b"get /health HTTP/1.1", b"Get /health HTTP/1.1", b"FETCH /health HTTP/1.1",
        b"G\x00T /health HTTP/1.1", b"G" * 100_000 + b" / HTTP/1.1", b"/health HTTP/1.1", b"HTTP/1.1 200 OK",
        b"GET /health HTTP/1.1 extra", b"GET /health HTTP/0.9", b"GET /health HTTP/1.0", b"GET /health HTTP/1.2",
        b"GET /health HTTP/2.0", b"GET /health HTTP/9.9", b"GET /health HTTP/11", b"GET /health HTTP/1.1.1",
        b"GET /health HTTP/-1.1", b"GET /health HTTP/1", b"GET /health HTTP/x.y", b"GET /health http/1.1",
        b"GET /health HTTPS/1.1", b"GET /health ICE/1.0", b"GET /health RTSP/1.0", b"SOURCE /health ICE/1.0",
        b"CONNECT fuzz:443 HTTP/1.1", b"CONNECT /health HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET * HTTP/1.1",
        b"PRI * HTTP/2.0", b"\x00" * 64, b"\xff\xfe\xfd", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"-" * 70_000, b"", b":", b"\r", b"GET /\rhealth",
    )  # fmt: skip
    for line in lines:
        yield Case(name=f"first line {show(line)}", pieces=(line + b"\r\nHost: fuzz\r\n\r\n",), whole=False)
    yield Case(name="HTTP/0.9", pieces=(b"GET /health\r\n",), whole=False)
    yield Case(
        name="HTTP/2 preface",
        pieces=(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",),
        whole=False,
    )
    for start in (b"\r\n", b"\n", b"\r\n" * 1000, b"\r", b"\x00", b" ", b"\xef\xbb\xbf"):
        yield Case(name=f"begins with {show(start)}", pieces=(start + request(),), whole=False)
    plain = request(b"GET", b"/health", b"Connection: close")
    yield Case(name="bare line feeds", pieces=(plain.replace(b"\r\n", b"\n"),), whole=False)
    yield Case(name="bare carriage returns", pieces=(plain.replace(b"\r\n", b"\r"),), whole=False)


def targets(random: Random) -> Iterator[Case]:
    targets = (
        b"http://fuzz/health", b"http://fuzz", b"http://user:word@fuzz/health", b"http://fuzz:99999999/health",
        b"http://[::1/health", b"http://", b"https://fuzz/health", b"ftp://fuzz/x", b"fuzz:80", b"fuzz", b"//health",
        b"///", b"/health//", b"/health?", b"/health?a=b&a=%00", b"/health#f", b"?", b"#", b"/../../etc/passwd",
        b"/docs/../../../../etc/passwd", b"/docs/%2e%2e/%2e%2e/etc/passwd", b"/docs/..%2f..%2fschema", b"/docs/%00",
        b"/docs/swagger-ui.css%00", b"/docs//swagger-ui.css", b"/docs/./swagger-ui.css", b"/%", b"/%z", b"/%zz",
        b"/%00", b"/%ff%fe", b"/%ed%a0%80", b"/%0d%0aSet-Cookie:%20a", b"/%u0041", b"/%25health", b"/\xff",
        b"/\xc3\xa9", b"/a\x00b", b"/a\x01b", b"/a b", b"/a\tb", b"/\x7f", b"\\health", b"/\\..\\x", b"/health;a=b",
        b"/healt%68", b"/HEALTH", b"/health.", b"/" + b"a" * 8_000, b"/" + b"a" * 65_530, b"/" + b"a" * 70_000,
        b"/" + b"%41" * 30_000, b"/" + b"../" * 20_000, b"/" + b"a" * 1_000_000, b"/health?" + b"q" * 60_000,
    )  # fmt: skip
    for target in targets:
        for method in (b"GET", b"POST"):
            body = b"{}" if method == b"POST" else None
            yield Case(
                name=f"{show(method)} target {show(target)}",
                pieces=(request(method, target, body=body),),
                whole=False,
            )
    for number in range(100):
        target = b"/" + random.choice((b"", b"docs/", b"predict/")) + random.randbytes(random.randint(1, 12))
        yield Case(name=f"target by chance {number}", pieces=(request(b"GET", target),), whole=False)


def headers(example: bytes) -> Iterator[Case]:
    headers = (
        b"no colon", b": no name", b"Name : value", b" Name: value", b"\tName: value", b"Na\x00me: value",
        b"Na\x01me: value", b"Name\xff: value", b"Name: val\x00ue", b"Name: val\x01ue", b"Name: val\x7fue",
        b"Name: val\rue", b"Name: val\nue", b"Name: \xff\xfe", b"Name: one\r\n folded", b"Name: one\r\n\tfolded",
        b"Name:", b"Name" * 20_000 + b": x", b"Name: " + b"x" * 60_000, b"Name: " + b"x" * 1_000_000,
        b"\r\n".join(b"Name%d: x" % number for number in range(10_000)), b"Host: other", b"Host: ", b"Host: a, b",
        b"Host: \x00",
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Version: 13",
        b"Upgrade: websocket\r\nConnection: Upgrade", b"Upgrade: TLS/1.0, x\r\nConnection: Upgrade",
        b"Upgrade: \xff\r\nConnection: upgrade", b"Expect: 100-continue", b"Expect: 200-ok",
        b"Expect: 100-continue, x", b"Connection: close", b"Connection: keep-alive, close",
        b"Connection: x" + b",x" * 1000, b"Connection: Host", b"Keep-Alive: timeout=-1", b"Trailer: Content-Length",
        b"TE: trailers", b"Range: bytes=-1", b"Cookie: " + b"a=b;" * 9_000, b"X-Request-Id: ", b"X-Request-Id: a\tb",
        b"X-Request-Id: \xff", b"X-Request-Id: " + b"a" * 500, b"X-Request-Id: one\r\nX-Request-Id: two",
        b"Livepeer-Session-Id: \xff\xfe", b"Livepeer-Session-Id: " + b"s" * 60_000, b"X-Stream-Id: \xff",
        b"Livepeer: e30=", b"Livepeer: !", b"Authorization: Bearer \xff", b"Authorization: " + b"a" * 60_000,
        b"Accept: image/\xff", b"Accept: ", b"Forwarded: for=\xff", b"X-Forwarded-For: \x00",
        b"Content-Encoding: gzip", b"Content-Encoding: \xff, br", b"Content-Length : 2", b"\r\nHost: x",
    )  # fmt: skip
    for header in headers:
        for sent in (request(b"GET", b"/health", header), request(b"POST", b"/predict", header, body=example)):
            yield Case(name=f"{show(sent[:4])} header {show(header)}", pieces=(sent,), whole=False, answers=2)
    yield Case(name="no Host", pieces=(b"GET /health HTTP/1.1\r\n\r\n",))
    yield Case(name="no Host in HTTP/1.0", pieces=(b"GET /health HTTP/1.0\r\n\r\n",))


def lengths(example: bytes) -> Iterator[Case]:
    right = b"%d" % len(example)
    lengths = (
        b"", b"-1", b"+" + right, b"0x10", b"1e3", b"5.0", b"5 5", b"5, 5", b"five", b"\x00", b"\xb2",
        b" " + right + b" ", right + b";", b"9" * 18, b"9" * 20, b"9" * 5_000, b"0" * 5_000 + right, b"0" * 5_000,
        b"18446744073709551616", b"4294967297", right + b"\r\nContent-Length: " + right,
        right + b"\r\nContent-Length: 0", b"0\r\nContent-Length: " + right, right + b"\r\n\tfolded", b"0", b"1",
        b"%d" % (200 * 1024 * 1024),
    )  # fmt: skip
    for length in lengths:
        sent = b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Length: " + length + b"\r\n\r\n" + example
        yield Case(name=f"Content-Length {show(length)}", pieces=(sent,), whole=False, answers=2)
    hidden = b"GET /hidden HTTP/1.1\r\nHost: fuzz\r\n\r\n"
    codings = (
        b"chunked", b"Chunked", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"identity", b"xchunked",
        b"chunked;q=1", b"\x0bchunked", b"chunked\x00", b"\"chunked\"", b",chunked", b"chunked,", b"",
        b"chunked\r\n folded", b"identity\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: identity",
    )  # fmt: skip
    for coding in codings:
        for colon in (b": ", b" : ", b":\t"):
            head = b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nTransfer-Encoding" + colon + coding + b"\r\n"
            shown = show(colon + coding)
            both = head + b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(hidden)) + hidden
            short = head + b"Content-Length: 4\r\n\r\n%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n"
            yield Case(
                name=f"Transfer-Encoding{shown}", pieces=(head + b"\r\n" + chunked(example),), whole=False, answers=2
            )
            yield Case(name=f"Transfer-Encoding{shown}, longer Content-Length", pieces=(both,), whole=False)
            yield Case(name=f"Transfer-Encoding{shown}, shorter Content-Length", pieces=(short,), whole=False)


def chunks(example: bytes) -> Iterator[Case]:
    size = b"%x" % len(example)
    frames = (
        chunked(example), b"".join(chunked(example[at : at + 1])[:-5] for at in range(len(example))) + b"0\r\n\r\n",
        size + b";name=value\r\n" + example + b"\r\n0\r\n\r\n",
        size + b";" + b"x" * 100_000 + b"\r\n" + example + b"\r\n0\r\n\r\n",
        size + b"\r\n" + example + b"\r\n0\r\nTrailer: x\r\n\r\n",
        size + b"\r\n" + example + b"\r\n0\r\nno colon\r\n\r\n",
        size + b"\r\n" + example + b"\r\n0\r\n" + b"A: b\r\n" * 5_000 + b"\r\n", b"-1\r\n" + example,
        b"+5\r\n" + example, b"0x5\r\n" + example, b" 5\r\n" + example, b"5 \r\n" + example, b"g\r\n" + example,
        b"\r\n" + example, b"1_0\r\n" + example, b"f" * 16 + b"\r\n" + example, b"f" * 40 + b"\r\n" + example,
        b"0" * 10_000 + b"\r\n\r\n", size + b"\n" + example + b"\n0\n\n", size + b"\r\n" + example + b"0\r\n\r\n",
        b"1\r\n" + example + b"\r\n0\r\n\r\n", b"00\r\n\r\n", b"0\r\n\r\n", b"0;\r\n\r\n",
        size + b"\r\n" + example + b"\r\n", b"ffff\r\n" + example, size + b"\x00\r\n" + example,
        size + b"\r\n" + example + b"\r\n0\r\n",
    )  # fmt: skip
    head = (
        b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for number, frame in enumerate(frames):
        yield Case(name=f"chunks {number} {show(frame)}", pieces=(head, frame), whole=False, answers=2)
