"""What a worker says about itself (BYOC contract, section 6)."""

from enum import StrEnum


class HealthState(StrEnum):
    """The `status` of `GET /health`. Only the server's lifecycle changes it."""

    LOADING = "LOADING"
    """Importing or setting up; kept out of an orchestrator's pool."""

    OK = "OK"
    """Ready, and at work on at least one call."""

    IDLE = "IDLE"
    """Ready, with nothing running."""

    ERROR = "ERROR"
    """Cannot serve; an orchestrator restarts the container at once."""
