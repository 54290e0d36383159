"""Publishes segments byte by byte as others do, for readers to cope with."""

import socket

import httpx2


def post(url: str, *segments: bytes, first: int = 0, content_type: str = "application/jsonl") -> None:
    """Publish whole segments."""
    with httpx2.Client(trust_env=False) as http:
        for seq, data in enumerate(segments, first):
            http.post(f"{url}/{seq}", content=data, headers={"Content-Type": content_type}).raise_for_status()


def delete(url: str) -> None:
    """End the channel."""
    with httpx2.Client(trust_env=False) as http:
        http.delete(url).raise_for_status()


def break_off(url: str, seq: int, data: bytes) -> None:
    """Publish a segment, and vanish in the middle of it."""
    parsed = httpx2.URL(url)
    head = f"POST {parsed.path}/{seq} HTTP/1.1\r\nHost: {parsed.netloc.decode()}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((parsed.host, parsed.port or 80)) as sock:
        sock.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(data), data))
