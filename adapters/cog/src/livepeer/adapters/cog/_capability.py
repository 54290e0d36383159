"""A Cog model as the contract knows it."""

from collections.abc import Awaitable
from contextlib import ExitStack

from livepeer.core import Info, Mount

from . import _sdk
from ._face import cog_face, face_openapi
from ._manifest import GPU
from ._model import CogModel
from ._operation import CogOperation
from ._project import Project, Surroundings
from ._scope import find_shown_scope

HOOK = _sdk.ScopeHook(find_shown_scope)
"""One for the process, since Cog's scope is the process's; it counts who needs it."""


class CogCapability:
    """One Cog model with two faces: `/predict` as the contract has it, `/predictions` as Cog has it.

    Args:
        model: The model.
        project: Where it came from.
        surroundings: What it has around it, left at the end.
    """

    def __init__(self, model: CogModel, project: Project, surroundings: Surroundings) -> None:
        self._model = model
        gpu = project.config is not None and project.config.build.gpu
        self.info = Info(
            name=project.name,
            description=model.doc,
            adapter="cog",
            framework_version=_sdk.VERSION,
            gpu=GPU if gpu else None,
        )
        self.operations = (CogOperation(model, summary=model.doc),)
        face = cog_face(model)
        self.mounts = (
            Mount(
                app=face,
                paths=("/predictions", "/health-check"),
                apart=True,
                openapi=face_openapi(model),
            ),
        )
        HOOK.install()
        self._ending = ExitStack()
        self._ending.callback(surroundings.leave)
        self._ending.callback(HOOK.remove)
        self._ending.callback(face.stop)

    def setup(self) -> Awaitable[None] | None:
        """Run the model's own setup."""
        return self._model.setup()

    def teardown(self) -> None:
        """End what Cog's own HTTP still runs, and let go of what the process lent to the model."""
        self._ending.close()

    def check(self) -> Awaitable[str | None] | None:
        """Ask the model's own healthcheck."""
        return self._model.healthcheck() if self._model.has_healthcheck else None
