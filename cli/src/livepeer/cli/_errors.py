"""How a command fails.

LivepeerError
└── CommandError          exit code 1
    └── UsageError        exit code 2
"""

from livepeer.core import LivepeerError


class CommandError(LivepeerError):
    """Raised when a command cannot do what it was asked; its message is the one line that the user sees."""

    exit_code = 1

    def format_message(self) -> str:
        """The message, in the way that typer's own errors give theirs."""
        return str(self)


class UsageError(CommandError):
    """Raised when the command line itself is wrong."""

    exit_code = 2
