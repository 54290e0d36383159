"""Errors as one clear line, whoever raised them."""

import sys
from typing import Any, NoReturn, Protocol, runtime_checkable

import typer
from typer.core import TyperGroup


@runtime_checkable
class _OneLine(Protocol):
    """What typer's errors and ours have in common. Typer's have no public name: it carries a click of its own."""

    exit_code: int

    def format_message(self) -> str: ...


class OneLineErrorGroup(TyperGroup):
    """A command group that shows an expected error as one line on standard error, and exits with its code."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        try:
            exit_code = super().main(*args, **{**options, "standalone_mode": False})
        except typer.Abort:
            exit_code = 1
        except Exception as error:
            if not isinstance(error, _OneLine):
                raise
            typer.echo(f"error: {_line(error)}", err=True)
            exit_code = error.exit_code
        sys.exit(exit_code or 0)


def _line(error: _OneLine) -> str:
    message = " ".join(error.format_message().split())
    context: typer.Context | None = getattr(error, "ctx", None)
    return message if context is None else f"{message} (see {context.command_path} --help)"
