"""The environment, read once, at the entry of a server or a command."""

import secrets
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from livepeer.core import LivepeerError

from ._options import RegistrationOptions, ServerOptions


class SettingsError(LivepeerError):
    """Raised when a setting does not fit, or one is missing that another needs; names the variable."""


def _env(*names: str, default: Any = None, **constraints: Any) -> Any:
    """A field read from these variables: ours first, then the names already in use in the field."""
    return Field(default=default, validation_alias=AliasChoices(*names), **constraints)


class Settings(BaseSettings, ServerOptions):  # pyright: ignore[reportIncompatibleVariableOverride]
    """Everything that the environment may say; `LIVEPEER_` before an option's name unless noted here."""

    model_config = SettingsConfigDict(env_prefix="LIVEPEER_", extra="ignore", populate_by_name=True, frozen=True)

    host: str = _env("LIVEPEER_HOST", default="0.0.0.0")
    port: int = _env("LIVEPEER_PORT", "PORT", default=5000, ge=0, le=65_535)
    python: str | None = None
    """Interpreter of the model's own virtual environment."""

    adapter: str | None = None
    """Entry-point name of the adapter."""

    worker: Literal["process", "inline"] = "process"
    """Where the model runs: in a process of its own, or on a thread of this one."""

    replicas: int = Field(default=1, ge=1, le=64)
    """How many processes hold the model."""

    channel_origins: Annotated[tuple[str, ...], NoDecode] = ()
    network: Literal["auto", "byoc", "live-runner"] = "auto"
    orch_url: str | None = _env("ORCH_URL", "LIVEPEER_ORCH_URL")
    orch_token: str | None = _env("ORCH_TOKEN", "ORCH_SECRET", "LIVEPEER_ORCH_SECRET")
    capability_name: str | None = _env("LIVEPEER_CAPABILITY_NAME", "CAPABILITY_NAME")
    capability_url: str | None = _env("LIVEPEER_CAPABILITY_URL", "CAPABILITY_URL")
    capability_description: str | None = _env("LIVEPEER_CAPABILITY_DESCRIPTION", "CAPABILITY_DESCRIPTION")
    capacity: int | None = _env("LIVEPEER_CAPACITY", "CAPABILITY_CAPACITY", "CAPACITY", ge=1)
    price_per_unit: int = _env(
        "LIVEPEER_PRICE_PER_UNIT", "CAPABILITY_PRICE_PER_UNIT", "PRICE_PER_UNIT", default=0, ge=0
    )
    price_scaling: int = _env("LIVEPEER_PRICE_SCALING", "CAPABILITY_PRICE_SCALING", default=1, ge=1)
    currency: str = _env("LIVEPEER_PRICE_CURRENCY", "PRICE_CURRENCY", default="wei")
    verify_tls: bool = True
    interval_seconds: float = _env("LIVEPEER_REGISTER_INTERVAL_SECONDS", default=10.0, gt=0)
    app: str | None = None
    runner_mode: Literal["single-shot", "persistent"] = "single-shot"
    price_usd: Decimal = Decimal(0)
    price_unit: Literal["hour", "720p", "fixed"] = "hour"
    image: str | None = None
    schema_url: str | None = None

    @field_validator("channel_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def read(cls, **given: Any) -> "Settings":
        """The environment, and what is given, which wins; None means not given.

        Raises:
            SettingsError: If a value does not fit; names the variable or the argument.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise SettingsError(_words(error)) from None

    def server_options(self) -> ServerOptions:
        """How to serve: if the capability is announced, with a random bearer token unless one is set, and with the
        orchestrator's channels.
        """
        token = self.token or (secrets.token_urlsafe(32) if self.orch_url else None)
        origins = (*self.channel_origins, *([self.orch_url] if self.orch_url else []))
        held = {name: getattr(self, name) for name in ServerOptions.model_fields}
        return ServerOptions.model_validate({**held, "token": token, "channel_origins": origins})

    def registration_options(self, token: str | None, *, port: int) -> RegistrationOptions | None:
        """How to announce; None unless `ORCH_URL` is set.

        Args:
            token: The server's bearer token.
            port: Where the server listens.

        Raises:
            SettingsError: If something that it takes is missing; names the variable.
        """
        if self.orch_url is None:
            return None
        if self.orch_token is None:
            raise SettingsError("ORCH_URL is set: set ORCH_TOKEN to the orchestrator's secret too")
        url = self.capability_url
        if url is None:
            if self.host in ("0.0.0.0", "::"):
                raise SettingsError("ORCH_URL is set: set LIVEPEER_CAPABILITY_URL to where it reaches this server")
            url = f"http://{self.host}:{port}"
        held = {name: getattr(self, name) for name in RegistrationOptions.model_fields if hasattr(self, name)}
        try:
            return RegistrationOptions.model_validate({**held, "capability_url": url, "token": token})
        except ValidationError as error:
            raise SettingsError(_words(error)) from None


def _words(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
