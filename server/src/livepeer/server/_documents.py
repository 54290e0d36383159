"""What a server says about itself: every GET route."""

import importlib.util
from pathlib import Path
from typing import Any

from livepeer.core import Description, NotReadyError, OperationDescription, Registrar, RegistrationState

from ._hardware import gpus
from ._lifecycle import Lifecycle
from ._openapi import openapi_document
from ._options import ServerOptions
from ._schema import schema_document, schema_sha256

_SWAGGER_PACKAGE = "star_openapi_swagger"
_SWAGGER_FILES = {
    "swagger-ui.css": ("css", b"text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("js", b"text/javascript; charset=utf-8"),
}

_DOCS_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger"});</script>
</body>
</html>
"""


class Documents:
    """Answers for the server.

    Args:
        lifecycle: What is served, and in what state.
        options: The server's.
        registrar: What announces it; None if nothing does.
    """

    def __init__(self, lifecycle: Lifecycle, options: ServerOptions, registrar: Registrar | None) -> None:
        self._lifecycle = lifecycle
        self._options = options
        self._registrar = registrar

    @property
    def needs_token(self) -> bool:
        """Whether a call needs the bearer token; not where the network adds none (contract, section 7)."""
        return self._options.token is not None and (self._registrar is None or self._registrar.sends_token)

    def health(self) -> dict[str, Any]:
        """`GET /health`: the state first, then what a person would ask next (BYOC contract, section 6)."""
        lifecycle = self._lifecycle
        worker = lifecycle.worker
        found: dict[str, Any] = {"status": lifecycle.state.value}
        if worker.reason is not None:
            found["reason"] = worker.reason
            found["log"] = list(worker.log_tail)
        if lifecycle.draining:
            found["draining"] = True
        found["slots"] = {
            "in_use": sum(slots.in_use for slots in lifecycle.pools),
            "capacity": sum(slots.capacity for slots in lifecycle.pools),
            "waiting": sum(slots.waiting for slots in lifecycle.pools),
        }
        if self._registrar is not None:
            found["registration"] = self._registrar.registration.model_dump(mode="json", exclude_none=True)
        return found

    def discovery(self) -> dict[str, Any]:
        """`GET /`: who this is and where everything else is."""
        found: dict[str, Any] = {"status": self._lifecycle.state.value}
        description = self._lifecycle.description
        if description is not None:
            info = description.info
            found |= {"name": info.name, "version": info.version, "description": info.description}
            found["operations"] = [_brief(operation) for operation in description.operations]
            if description.live is not None:
                found["live"] = {"capacity": description.live.capacity}
            if description.mounts:
                found["mounts"] = [path for mount in description.mounts for path in mount.paths]
        links = {"health": "/health", "schema": "/schema", "openapi": "/openapi.json", "docs": "/docs"}
        return found | {"links": links}

    def schema(self) -> dict[str, Any]:
        """`GET /schema`: the default operation's JSON Schemas (BYOC contract, section 8)."""
        return schema_document(self._described())

    def schema_sha256(self) -> str:
        """Hash of the body that `GET /schema` answers with."""
        return schema_sha256(self._described())

    def capabilities(self) -> dict[str, Any]:
        """`GET /capabilities`, in the shape that callers in the field read (BYOC contract, section 8)."""
        description = self._described()
        offer = self._registrar.offer if self._registrar is not None else {}
        return {
            "capabilities": [
                {
                    "name": description.info.name,
                    "model_id": description.info.name,
                    "capacity": description.capacity,
                    "price_per_unit": 0,
                    "price_scaling": 1,
                    **offer,
                }
            ]
        }

    def version(self) -> dict[str, Any]:
        """`GET /version`, as go-livepeer asks for it (BYOC contract, section 6)."""
        import importlib.metadata  # lazily: few ask

        description = self._lifecycle.description
        info = description.info if description is not None else None
        return {
            "pipeline": info.name if info is not None else "",
            "model_id": info.name if info is not None else "",
            "version": info.version if info is not None else "",
            "server": importlib.metadata.version("livepeer-server"),
        }

    def openapi(self) -> dict[str, Any]:
        """`GET /openapi.json`."""
        return openapi_document(self._described(), needs_token=self.needs_token)

    def docs_page(self) -> bytes:
        """`GET /docs`: Swagger UI, with relative addresses so that it works behind any prefix."""
        return _DOCS_PAGE

    def docs_asset(self, name: str) -> tuple[bytes, bytes] | None:
        """A file of Swagger UI and its media type, from the package that carries it."""
        if name not in _SWAGGER_FILES:
            return None
        folder, media_type = _SWAGGER_FILES[name]
        spec = importlib.util.find_spec(_SWAGGER_PACKAGE)
        assert spec is not None
        assert spec.submodule_search_locations
        path = Path(spec.submodule_search_locations[0], "templates", "swagger", folder, name)
        return path.read_bytes(), media_type

    async def hardware(self) -> dict[str, Any]:
        """`GET /hardware/info`, an operator's route, in go-livepeer's shape."""
        found = self.version()
        return {"pipeline": found["pipeline"], "model_id": found["model_id"], "gpu_info": await gpus()}

    def metrics(self) -> bytes:
        """`GET /metrics`, in the Prometheus text format; an operator's route."""
        lifecycle = self._lifecycle
        lines = [
            "# TYPE livepeer_slots_in_use gauge",
            f"livepeer_slots_in_use {sum(slots.in_use for slots in lifecycle.pools)}",
            "# TYPE livepeer_slots_capacity gauge",
            f"livepeer_slots_capacity {sum(slots.capacity for slots in lifecycle.pools)}",
            "# TYPE livepeer_calls_waiting gauge",
            f"livepeer_calls_waiting {sum(slots.waiting for slots in lifecycle.pools)}",
            "# TYPE livepeer_ready gauge",
            f"livepeer_ready {int(lifecycle.ready)}",
        ]
        if self._registrar is not None:
            registered = self._registrar.registration.state is RegistrationState.REGISTERED
            lines += ["# TYPE livepeer_registered gauge", f"livepeer_registered {int(registered)}"]
        return "\n".join([*lines, ""]).encode()

    def _described(self) -> Description:
        description = self._lifecycle.description
        if description is None:
            reason = self._lifecycle.worker.reason or "the target is still being imported"
            raise NotReadyError(reason, retry_after_seconds=1)
        return description


def _brief(operation: OperationDescription) -> dict[str, Any]:
    return {
        "name": operation.name,
        "method": "POST",
        "path": operation.path,
        "summary": operation.summary,
        "streams": operation.streams,
    }
