"""Errors out of broken connections."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager

import httpx2

from ._errors import DisconnectedError, LivepeerError, ProtocolError, SettingsError, TimedOutError, UnreachableError


@contextmanager
def transport_errors(url: str, client: httpx2.Client | httpx2.AsyncClient) -> Generator[None]:
    """Raise what goes wrong on the way to `url` as this package's errors."""
    try:
        yield
    except httpx2.HTTPError as error:
        raise failure_of(error, url) from error
    except httpx2.InvalidURL as error:
        raise ProtocolError(f"{url!r} is no URL") from error
    except TimeoutError as error:
        raise TimedOutError(f"{origin(url)} did not answer in time") from error
    except RuntimeError as error:
        if not client.is_closed:
            raise
        raise SettingsError("the gateway is closed") from error


def failure_of(error: httpx2.HTTPError, url: str) -> LivepeerError:
    """Say what a failed request means: nothing was sent, the time is up, or the connection broke."""
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        message = f"cannot connect to {origin(url)}: {str(error) or type(error).__name__}"
        if _is_certificate_error(error):
            message += " (orchestrators sign their own certificates: see verify)"
            return UnreachableError(message, retryable=False)
        return UnreachableError(message)
    if isinstance(error, httpx2.TimeoutException):
        return TimedOutError(f"{origin(url)} did not answer in time")
    return DisconnectedError(f"the connection to {origin(url)} broke: {str(error) or type(error).__name__}")


def origin(url: str) -> str:
    """Cut a URL down to what an error may show: paths of sessions and proxies are secrets."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        return "a URL that is none"
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
