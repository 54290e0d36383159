"""The gateway's guess of a content type is Go's."""

import pytest

from livepeer.devnet._sniffing import sniff_content_type

TEXT = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"a": 1}', TEXT),
        (b"plain text", TEXT),
        ("größer".encode(), TEXT),
        (b"\xef\xbb\xbftext", TEXT),
        (b"\x1b[0mansi", TEXT),
        (b"\n <!doctype html><p>", "text/html; charset=utf-8"),
        (b"<html>", "text/html; charset=utf-8"),
        (b"<b> bold", "text/html; charset=utf-8"),
        (b"<bold>", TEXT),
        (b"<p", TEXT),
        (b"  <?xml version='1.0'?>", "text/xml; charset=utf-8"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a\x00", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wave"),
        (b"BM\x00\x00", "image/bmp"),
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS\x00", "application/ogg"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"),
        (b"\x00\x00\x00\x18ftypqt  \x00\x00\x00\x00qt  qt  ", "application/octet-stream"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08", "application/x-gzip"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"x" * 512 + b"\x00", TEXT),
        (b"x" * 511 + b"\x00", "application/octet-stream"),
    ],
)
def test_a_body_is_known_by_its_first_bytes(body: bytes, media_type: str):
    assert sniff_content_type(body) == media_type
