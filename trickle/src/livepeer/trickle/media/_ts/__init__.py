"""Transport streams (MPEG-TS) in pure Python and without input or output of their own: bytes in, bytes out."""

from .adts import adts_header
from .demuxer import Demuxer
from .muxer import Muxer
from .segmenter import Cut, Segmenter
from .tracks import Kind, Track, Unit

__all__ = ["Cut", "Demuxer", "Kind", "Muxer", "Segmenter", "Track", "Unit", "adts_header"]
