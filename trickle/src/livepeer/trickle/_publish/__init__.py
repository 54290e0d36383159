"""Publishing: the state of it, which never waits, and what drives that on a thread or in an event loop."""
