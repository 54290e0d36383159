"""`livepeer serve`: one target over HTTP, as `python -m livepeer.server` serves it."""

from typing import Any

import typer
from pydantic import ValidationError

from livepeer.server import Settings, SettingsError, bind, serve_target

from ._errors import CommandError, UsageError
from ._targets import check_target


def serve(target: str, **options: Any) -> None:
    """Serve a target until SIGTERM or Ctrl-C.

    Args:
        target: What to serve.
        options: Fields of `Settings`; None leaves one to the environment.

    Raises:
        UsageError: If the settings do not fit.
        CommandError: If the target names nothing, or the port cannot be had.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        check_target(target, python=options.get("python"))
        settings = Settings(**given)
        given["port"] = settings.port or _free_port(settings.host)
        typer.echo(f"serving {target} at http://{settings.host}:{given['port']}; Ctrl-C ends it", err=True)
        serve_target(target, **given)
    except ValidationError as error:
        raise UsageError("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from error
    except SettingsError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise CommandError(f"the port cannot be had: {error.strerror}") from error


def _free_port(host: str) -> int:
    # The address is shown before serving begins, so the port is chosen here and bound again a moment later.
    with bind(host, 0) as sock:
        return sock.getsockname()[1]
