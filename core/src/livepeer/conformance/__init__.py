"""What an adapter, and a server, must keep: each clause once, and how it is checked."""

__all__: list[str] = []
