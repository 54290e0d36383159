"""A BentoML service as the contract knows it."""

from collections.abc import Iterator
from typing import Any

from livepeer.core import Info, Operation

from . import _sdk
from ._command import check_command, command_failure
from ._forwarding import ForwardOperation
from ._mounting import mounts_of
from ._native_operation import NativeOperation
from ._predict_operation import PredictOperation
from ._project import Project
from ._runtime import Runtime


class BentoMLCapability:
    """One service with three faces: the contract's `/predict`, its apis' own routes, and its own HTTP.

    Args:
        project: Where the service came from, left at the end.
        service: The service.

    Raises:
        TargetError: If it cannot be served; names what to change.
    """

    def __init__(self, project: Project, service: Any) -> None:
        check_command(service)
        self._project = project
        self._service = service
        self._runtime = runtime = Runtime(service)
        self.info = Info(
            name=project.name,
            version=project.version or "0.0.0",
            description=project.description,
            adapter="bentoml",
            framework_version=_sdk.VERSION,
            gpu=project.gpu,
        )
        self.mounts = mounts_of(runtime)
        self.operations = tuple(self._operations()) or (
            ForwardOperation(self.mounts[0].app, summary=project.description),
        )

    async def setup(self) -> None:
        """Start the service, and wait until it says that it is ready."""
        await self._runtime.start()

    async def teardown(self) -> None:
        """Stop the service, and let go of what the process lent to it."""
        try:
            await self._runtime.stop()
        finally:
            self._project.leave()

    async def check(self) -> str | None:
        """Ask the service's own probes: dead is unwell, unready is not yet.

        Raises:
            NotReadyError: If it is alive, and not ready.
        """
        return await command_failure(self._service) or await self._runtime.check()

    def _operations(self) -> Iterator[Operation]:
        """The chosen api with the contract's face, then every api with BentoML's own.

        An api at ``/`` goes before both: that path is the first operation's.
        """
        natives = [NativeOperation(self._runtime, name) for name in self._runtime.apis]
        chosen = self._project.chosen_api or (next(iter(self._runtime.apis)) if len(natives) == 1 else None)
        yield from (native for native in natives if native.description.path == "/")
        if chosen is not None:
            yield PredictOperation(self._runtime, chosen)
        yield from (native for native in natives if native.description.path != "/")
