"""What an edge and a host say to each other before and beside the calls."""

from pydantic import BaseModel

from livepeer.core import Description


class LoadOrder(BaseModel):
    """What the edge asks a host to load."""

    target: str
    adapter: str | None = None
    """Entry-point name of the adapter; None asks each installed one."""


class Hello(BaseModel):
    """What a host says first."""

    protocol: int
    core_version: str
    pid: int
    description: Description


class Broken(BaseModel):
    """Why a host cannot serve, and that starting it again would not help."""

    reason: str
