"""Server-sent events as they survive the network (BYOC contract, section 4).

Both hops relay by line and drop a line of 65,536 bytes or more; a line that contains `[DONE]` ends the
stream wherever it stands. So long data goes over several `data:` lines, and `[DONE]` inside JSON is
written with an escape. Compact JSON holds no raw newline: a reader takes the newlines out of `data`
again and parses the rest.
"""

MAX_LINE_BYTES = 65_535
"""The longest line that passes."""

SSE_DONE = b"data: [DONE]\n\n"
"""The event that ends every stream."""

SSE_PING = b": ping\n\n"
"""A comment that keeps a connection alive and means nothing."""

_FIELD = b"data: "
_ROOM = MAX_LINE_BYTES - len(_FIELD)


def sse_event(data: bytes, event: str | None = None) -> bytes:
    """Write one event.

    Args:
        data: Compact JSON.
        event: The event's type, without a newline; None for a plain message.
    """
    if b"[DONE]" in data:
        # Valid JSON holds brackets around bare words in strings only, where the escape means the same.
        data = data.replace(b"[DONE]", b"\\u005bDONE]")
    lines = b"data: %b\n\n" % data if len(data) <= _ROOM else _several_lines(data)
    return lines if event is None else b"event: %b\n%b" % (event.encode(), lines)


def _several_lines(data: bytes) -> bytes:
    parts: list[bytes] = []
    start = 0
    while start < len(data):
        end = min(start + _ROOM, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # a line is UTF-8 by itself: never cut inside a character
        parts.append(_FIELD + data[start:end])
        start = end
    return b"\n".join(parts) + b"\n\n"
