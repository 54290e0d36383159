"""Live media over trickle: MPEG-TS in and out, with hooks for its frames in between.

`MediaTransform` carries a stream from channel to channel, `MediaReader` and `MediaWriter` are for the two ends.
What only handles bytes, such as `Segmenter`, works without PyAV and numpy; the rest is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._errors import BudgetSpentError, HookError, MediaError, UnsupportedCodecError
from ._reports import MediaEnd, MediaStats, Notice
from ._ts import Cut, Demuxer, Muxer, Segmenter, Track, Unit, adts_header

if TYPE_CHECKING:
    from ._codec.audio_encoder import AudioEncoder
    from ._codec.decoders import AudioDecoder, VideoDecoder
    from ._codec.video_encoder import Encoded, VideoEncoder
    from ._files import Clock, FileError, FileSource
    from ._flow.reader import MediaReader
    from ._flow.transform import MediaTransform
    from ._flow.writer import MediaWriter
    from ._frames import AudioFrame, VideoFrame
    from ._settings import MediaHooks, MediaSettings
    from ._units import FrameDecoder, FrameEncoder

__all__ = [
    "AudioDecoder",
    "AudioEncoder",
    "AudioFrame",
    "BudgetSpentError",
    "Clock",
    "Cut",
    "Demuxer",
    "Encoded",
    "FileError",
    "FileSource",
    "FrameDecoder",
    "FrameEncoder",
    "HookError",
    "MediaEnd",
    "MediaError",
    "MediaHooks",
    "MediaReader",
    "MediaSettings",
    "MediaStats",
    "MediaTransform",
    "MediaWriter",
    "Muxer",
    "Notice",
    "Segmenter",
    "Track",
    "Unit",
    "UnsupportedCodecError",
    "VideoDecoder",
    "VideoEncoder",
    "VideoFrame",
    "adts_header",
]

_MODULES = {
    "AudioDecoder": "_codec.decoders",
    "AudioEncoder": "_codec.audio_encoder",
    "AudioFrame": "_frames",
    "Clock": "_files",
    "Encoded": "_codec.video_encoder",
    "FileError": "_files",
    "FileSource": "_files",
    "FrameDecoder": "_units",
    "FrameEncoder": "_units",
    "MediaHooks": "_settings",
    "MediaReader": "_flow.reader",
    "MediaSettings": "_settings",
    "MediaTransform": "_flow.transform",
    "MediaWriter": "_flow.writer",
    "VideoDecoder": "_codec.decoders",
    "VideoEncoder": "_codec.video_encoder",
    "VideoFrame": "_frames",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
