"""livepeer.yaml: what it takes to run a capability somewhere else."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MANIFEST_FILE = "livepeer.yaml"


class Manifest(BaseModel):
    """The content of a `livepeer.yaml`. Every adapter translates its framework's own build file into one."""

    model_config = ConfigDict(extra="forbid")

    target: str
    """What to serve, relative to the manifest's directory: `module:attribute`, or a file."""

    name: str | None = None
    version: str | None = None
    description: str | None = None
    adapter: str | None = None
    """Entry-point name of the adapter; None lets the installed adapters claim the target."""

    python: str | None = None
    """Python version, such as ``"3.12"``."""

    python_packages: list[str] = Field(default_factory=list)
    """Requirements, as pip reads them."""

    system_packages: list[str] = Field(default_factory=list)
    """Debian packages."""

    base_image: str | None = None
    gpu: str | None = None
    """What the model asks of a GPU; None if it needs none."""

    capacity: int | None = Field(default=None, ge=1)
    environment: dict[str, str] = Field(default_factory=dict)
    prepare: str | None = None
    """What the image's build runs to fetch weights: `module:function`, or a file."""

    unsupported: dict[str, Any] = Field(default_factory=dict)
    """Keys of the framework's own file that have no meaning here, with their values."""
