"""Section 8, and the end of 1: what the environment of a worker is understood to say."""

import os
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager

from livepeer.conformance import Checks, expect
from livepeer.server import RegistrationOptions, Settings

from ._trial import Trial

check = Checks[Trial]()

_ALIASES: Mapping[str, tuple[str, str, object]] = {
    "ORCH_SECRET": ("orch_token", "s3cret", "s3cret"),
    "CAPABILITY_NAME": ("capability_name", "name", "name"),
    "CAPABILITY_URL": ("capability_url", "http://worker:5000", "http://worker:5000"),
    "CAPABILITY_DESCRIPTION": ("capability_description", "words", "words"),
    "CAPABILITY_CAPACITY": ("capacity", "3", 3),
    "CAPABILITY_PRICE_PER_UNIT": ("price_per_unit", "4", 4),
    "CAPABILITY_PRICE_SCALING": ("price_scaling", "5", 5),
    "CAPACITY": ("capacity", "6", 6),
    "PRICE_PER_UNIT": ("price_per_unit", "7", 7),
    "PRICE_CURRENCY": ("currency", "eth", "eth"),
    "LIVEPEER_ORCH_URL": ("orch_url", "http://orch:8935", "http://orch:8935"),
    "LIVEPEER_ORCH_SECRET": ("orch_token", "s3cret", "s3cret"),
}
"""By the variable's name: the setting that it is, a value, and what is read of it."""


@check("worker.tls")
async def certificates(trial: Trial) -> None:
    del trial
    expect("verify_tls of a registration", RegistrationOptions.model_fields["verify_tls"].default, True)
    with _environment():
        expect("verify_tls without a word", Settings.read().verify_tls, True)
    with _environment(LIVEPEER_VERIFY_TLS="false"):
        expect("verify_tls when it is switched off", Settings.read().verify_tls, False)


def _alias(variable: str, setting: str, value: str, expected: object) -> Callable[[Trial], Awaitable[None]]:
    async def is_read(trial: Trial) -> None:
        del trial
        with _environment(**{variable: value}):
            expect(f"{setting} with {variable}={value}", getattr(Settings.read(), setting), expected)

    return is_read


for _variable, _case in _ALIASES.items():
    check(f"settings.{_variable}")(_alias(_variable, *_case))


@contextmanager
def _environment(**variables: str) -> Generator[None]:
    """Have these variables alone within the block, which must not await: nobody else may see it."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
