"""What is worth telling whoever serves a capability, though nothing of it is wrong."""

from livepeer.core import JSON_MEDIA_TYPE, Description, OperationDescription


def advice(description: Description) -> list[str]:
    """Sentences about a capability that callers in the field may trip over (BYOC contract, section 8)."""
    return [
        f"{operation.name} answers with {_kind(operation)}; upstream's callers read objects only: "
        "return a dict or a model to be understood by all of them"
        for operation in description.operations
        if not operation.streams and operation.output_media_type == JSON_MEDIA_TYPE and _kind(operation) is not None
    ]


def _kind(operation: OperationDescription) -> str | None:
    """What an answer is, in a word; None if it is an object, or may be one."""
    kind = operation.output_schema.get("type")
    if not isinstance(kind, str) or kind == "object" or "contentMediaType" in operation.output_schema:
        return None
    return f"a JSON {kind}"
