"""Cannot be imported."""

raise RuntimeError("broken at import")
