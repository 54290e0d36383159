"""The errors of media.

MediaError                  descends from TrickleError
├── UnsupportedCodecError       FFmpeg, as it was built, cannot do it
├── HookError                   a hook raised, or returned what it may not
└── BudgetSpentError            more went wrong than is borne
"""

from livepeer.trickle._errors import TrickleError


class MediaError(TrickleError):
    """What the errors of media descend from."""

    code = "media"


class UnsupportedCodecError(MediaError):
    """Raised when FFmpeg, as it was built, does not know a codec, or cannot open it on this machine."""

    code = "unsupported_codec"


class HookError(MediaError):
    """Raised when a hook raised where that stops the stream, or returned something that it may not."""

    code = "hook"


class BudgetSpentError(MediaError):
    """Raised when more went wrong than is borne."""

    code = "budget_spent"
