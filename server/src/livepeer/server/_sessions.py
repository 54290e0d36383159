"""Which calls belong to which session of a Live Runner orchestrator (contract, section 7)."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from livepeer.core import CallError, SessionEndedError

SESSION_HEADER = b"livepeer-session-id"


class Sessions:
    """The sessions that have calls under way; a session that ends takes its calls with it."""

    def __init__(self) -> None:
        self._calls: dict[str, set[Callable[[CallError], None]]] = {}

    @contextmanager
    def joined(self, session_id: str, give_up: Callable[[CallError], None]) -> Generator[None]:
        """Count a call to a session for the length of the block.

        Args:
            session_id: As the orchestrator named it.
            give_up: Ends the call early.
        """
        calls = self._calls.setdefault(session_id, set())
        calls.add(give_up)
        try:
            yield
        finally:
            calls.discard(give_up)
            if not calls:
                self._calls.pop(session_id, None)

    def end(self, session_id: str) -> None:
        """Cancel what runs for a session that the orchestrator has released."""
        for give_up in tuple(self._calls.get(session_id, ())):
            give_up(SessionEndedError(f"the session {session_id} was released"))
