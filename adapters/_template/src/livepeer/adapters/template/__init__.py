"""A minimal adapter, to copy."""

__all__: list[str] = []
