"""Answers, without their I/O: bytes in, events and values out."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from ._errors import AllOrchestratorsFailedError, InsufficientBalanceError, ProtocolError, StreamCutError
from ._events import Event
from ._problems import error_from_event
from ._sse import SseParser

_BALANCE = re.compile(r'\{"balance": ?[^"{}\[\],]*\}')


class Answer(Protocol):
    """A successful answer while its body arrives."""

    @property
    def done(self) -> bool:
        """Whether nothing that matters can follow, so that the connection can be closed."""
        ...

    def feed(self, chunk: bytes) -> Iterable[Event]:
        """Take the next bytes and give the events that they complete."""
        ...

    def rest(self) -> Iterable[Event]:
        """Give the events that only the end of the body completes."""
        ...

    def value(self, events: Sequence[Event]) -> Any:
        """Give the answer as one value, once the body is at its end; `events` are all that `feed` gave."""
        ...


class StreamAnswer:
    """An answer that is ``text/event-stream`` (BYOC contract, section 4).

    Args:
        max_bytes: Limit of one event.
        orchestrator_url: For errors.
        has_balance: Whether an orchestrator puts events of its own into it, as BYOC's does and Live Runner's does not.
    """

    def __init__(self, *, max_bytes: int, orchestrator_url: str | None, has_balance: bool) -> None:
        self._parser = SseParser(max_event_bytes=max_bytes)
        self._has_balance = has_balance
        self._orchestrator_url = orchestrator_url
        self._held: Event | None = None

    @property
    def done(self) -> bool:
        """Whether the line ``data: [DONE]`` has been met."""
        return self._parser.done

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Give the events that are the model's own, and raise the error that the stream carries."""
        return self._own(self._parser.feed(chunk))

    def rest(self) -> Iterator[Event]:
        """Give what was held back, and raise where the end of the stream is missing."""
        yield from self._own(self._parser.finish())
        if not self.done:
            yield from self._release()
            raise StreamCutError("the stream broke off before data: [DONE]", orchestrator_url=self._orchestrator_url)

    def value(self, events: Sequence[Event]) -> list[Any]:
        """Give the items, decoded, as a list."""
        return [event.json() for event in (*events, *self.rest())]

    def _own(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            yield from self._release()
            if self._has_balance and event.event == "insufficient balance":
                raise InsufficientBalanceError(
                    "the funds ran out in the middle of the stream", orchestrator_url=self._orchestrator_url
                )
            if event.event == "error":
                raise error_from_event(event, orchestrator_url=self._orchestrator_url)
            if self._has_balance and event.event == "message" and _BALANCE.fullmatch(event.data):
                # The model's own, if anything follows it; else the orchestrator's, and nobody asks for it again.
                self._held = event
            else:
                yield event

    def _release(self) -> Iterator[Event]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held


class ValueAnswer:
    """An answer that is one value.

    Args:
        media_type: Of the answer, without parameters; empty where there is none.
        direct: Whether the media type is the worker's own. A BYOC gateway drops that, and Go guesses another from the
            bytes (BYOC contract, section 3).
        max_bytes: Limit of the body.
        orchestrator_url: Who answered; None through a gateway means that nobody did.
    """

    def __init__(self, *, media_type: str, direct: bool, max_bytes: int, orchestrator_url: str | None) -> None:
        self._media_type = media_type
        self._direct = direct
        self._max_bytes = max_bytes
        self._orchestrator_url = orchestrator_url
        self._body = bytearray()

    @property
    def done(self) -> bool:
        """Never: only the end of the body ends it."""
        return False

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """Keep the bytes; there are no events before the end."""
        self._body += chunk
        if len(self._body) > self._max_bytes:
            raise ProtocolError(f"the answer is over {self._max_bytes} bytes", code="too_large")
        return ()

    def rest(self) -> Iterator[Event]:
        """Give the whole body as one event."""
        body = self._complete_body()
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("the answer is binary: ask for it with run()", code="not_text") from error
        if text:
            yield Event(text)

    def value(self, events: Sequence[Event]) -> Any:
        """Decode the body: JSON where it is JSON, text where its media type says so, else the bytes."""
        del events
        body = self._complete_body()
        is_json = self._media_type == "application/json" or self._media_type.endswith("+json")
        try:
            text = body.decode()
            if is_json or not self._direct or not self._media_type:
                return json.loads(text)
        except (ValueError, RecursionError) as error:
            if is_json:
                raise ProtocolError(f"the answer is not JSON: {body[:200]!r}", code="not_json") from error
        return _text(body) if self._media_type.startswith("text/") else body

    def _complete_body(self) -> bytes:
        if not self._body and not self._direct and self._orchestrator_url is None:
            raise AllOrchestratorsFailedError("every orchestrator that the gateway tried failed", status=200)
        return bytes(self._body)


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
