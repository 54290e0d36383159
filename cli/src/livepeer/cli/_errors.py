"""How a command fails.

LivepeerError
└── CommandError          exit code 1
    ├── BrokenOffError    exit code 130
    └── UsageError        exit code 2
"""

from livepeer.core import LivepeerError


class CommandError(LivepeerError):
    """Raised when a command cannot do what it was asked; its message is the one line that the user sees."""

    exit_code = 1

    def format_message(self) -> str:
        """The message, in the way that typer's own errors give theirs."""
        return str(self)


class BrokenOffError(CommandError):
    """Raised when the user ends a command that cannot end well any more."""

    exit_code = 130


class UsageError(CommandError):
    """Raised when the command line itself is wrong."""

    exit_code = 2
