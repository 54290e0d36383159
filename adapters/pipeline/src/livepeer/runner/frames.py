"""Frames of live media, and how it is decoded and encoded. Needs `livepeer-runner[live]`."""

from livepeer.trickle.media import AudioFrame, MediaSettings, VideoFrame

__all__ = ["AudioFrame", "MediaSettings", "VideoFrame"]
