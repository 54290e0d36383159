"""What `GET /schema` says: the default operation, in a form that hashes the same everywhere."""

import hashlib
import json
from typing import Any

from livepeer.core import Description, OperationDescription

from ._advice import advice


def schema_document(description: Description) -> dict[str, Any]:
    """The default operation's JSON Schemas (BYOC contract, section 8), and that of a live session's params."""
    notes = advice(description)
    return {
        "name": description.info.name,
        "version": description.info.version,
        **(_operation(description.operations[0]) if description.operations else {}),
        **({"live": description.live.model_dump()} if description.live is not None else {}),
        **({"notes": notes} if notes else {}),
    }


def _operation(operation: OperationDescription) -> dict[str, Any]:
    return {
        "operation": operation.name,
        "path": operation.path,
        "streams": operation.streams,
        "input": operation.input_schema,
        "output": operation.output_schema,
        "output_media_type": operation.output_media_type,
    }


def schema_sha256(description: Description) -> str:
    """Hash of the body that `GET /schema` answers with, in hex."""
    return hashlib.sha256(to_json(schema_document(description))).hexdigest()


def to_json(document: dict[str, Any]) -> bytes:
    """Serialize a document, the same way every time."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
