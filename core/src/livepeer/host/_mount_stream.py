"""One mount request between an edge and a host, as either end sees it: messages both ways, and room for them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from ._mount_wire import (
    MOUNT_CREDIT,
    MOUNT_PART,
    MOUNT_PIECE_BYTES,
    MOUNT_WINDOW_BYTES,
    Message,
    data_key,
    pack_messages,
    unpack_messages,
)
from ._outbox import Outbox
from ._wire import FRAME_HEAD_BYTES, Frame, pack, pack_size, unpack_credit

_CREDIT_BYTES = MOUNT_WINDOW_BYTES // 2


class MountStream:
    """Messages out and in, each way with as many bytes on their way as the other end has room for.

    A frame is paid for by its length, so that a million empty messages need room too. Everything
    happens on one loop.

    Args:
        number: The request's number on its connection.
        outbox: Where frames go.
    """

    __slots__ = (
        "_arrival",
        "_arrived",
        "_ended",
        "_outbox",
        "_parts",
        "_room",
        "_taken",
        "_turn",
        "_unpaid",
        "_window",
        "number",
    )

    def __init__(self, number: int, outbox: Outbox) -> None:
        self.number = number
        self._outbox = outbox
        self._window = MOUNT_WINDOW_BYTES
        self._room = asyncio.Event()
        self._turn = asyncio.Lock()
        """Held while a message is sent: several tasks may send, and the parts of a large one must stay together."""
        self._arrived: deque[tuple[Message, int]] = deque()
        self._arrival = asyncio.Event()
        self._parts: list[bytes] = []
        self._unpaid = 0
        """What parts cost that came while whole messages before them were unread."""
        self._taken = 0
        self._ended = False

    @property
    def has_room(self) -> bool:
        """Whether a message would go out at once."""
        return self._window > 0

    async def send(self, messages: Sequence[Message]) -> None:
        """Send messages together, once there is room; only the last may be large. Nothing once the stream ended.

        Raises:
            TypeError: If a message holds what no ASGI message does.
        """
        last = messages[-1]
        key = data_key(last)
        async with self._turn:
            if key is not None and len(last[key]) > MOUNT_PIECE_BYTES // (4 if key == "text" else 1):
                await self._send_large(messages, key)
            else:
                await self._wait_for_room()
                self.post(messages)

    def post(self, messages: Sequence[Message]) -> None:
        """Send small messages together, room or not."""
        self._post(pack_messages(self.number, messages))

    async def receive(self) -> Message | None:
        """The next message; None if the stream ended and there is none."""
        while not self._arrived:
            if self._ended:
                return None
            self._arrival.clear()
            await self._arrival.wait()
        message, cost = self._arrived.popleft()
        if not self._arrived:
            cost, self._unpaid = cost + self._unpaid, 0
        self._take(cost)
        return message

    def deliver(self, frame: Frame) -> None:
        """Take a frame from the connection: messages, a part of one, or credit."""
        if frame.kind == MOUNT_CREDIT:
            self._window += unpack_credit(frame)
            if self._window > 0:
                self._room.set()
        elif frame.kind == MOUNT_PART:
            self._parts.append(frame.payload)
            if self._arrived:
                self._unpaid += len(frame.payload)
            else:
                self._take(len(frame.payload))
        else:
            messages = unpack_messages(frame.payload, self._parts)
            self._parts = []
            self.put(messages, len(frame.payload))

    def put(self, messages: Sequence[Message], cost: int = 0) -> None:
        """Let the reader have messages, the last of which costs so many bytes of room."""
        for index, message in enumerate(messages, 1):
            self._arrived.append((message, cost if index == len(messages) else 0))
        self._arrival.set()

    def wake(self) -> None:
        """Make `receive()`s and `send()`s that wait look again."""
        self._arrival.set()
        self._room.set()

    def end(self, *, drop: bool = False) -> None:
        """Nothing more comes, and nothing more goes.

        Args:
            drop: Whether the reader is to miss what has arrived.
        """
        self._ended = True
        if drop:
            self._arrived.clear()
            self._parts.clear()
        self.wake()

    async def _send_large(self, messages: Sequence[Message], key: str) -> None:
        *before, last = messages
        value: Any = last[key]
        data = memoryview(value.encode() if isinstance(value, str) else value)
        while len(data) > MOUNT_PIECE_BYTES and not self._ended:
            piece, data = data[:MOUNT_PIECE_BYTES], data[MOUNT_PIECE_BYTES:]
            await self._wait_for_room()
            if key != "body":
                self._post(pack(MOUNT_PART, self.number, bytes(piece)))
                continue
            self.post([*before, {**last, key: piece, "more_body": True}])
            before = []
        await self._wait_for_room()
        self.post([*before, {**last, key: data}])

    async def _wait_for_room(self) -> None:
        while self._window <= 0 and not self._ended:
            self._room.clear()
            await self._room.wait()

    def _post(self, frame: bytes) -> None:
        if not self._ended:
            self._window -= len(frame) - FRAME_HEAD_BYTES
            self._outbox.post(frame)

    def _take(self, cost: int) -> None:
        self._taken += cost
        if self._taken >= _CREDIT_BYTES and not self._ended:
            self._outbox.post(pack_size(MOUNT_CREDIT, self.number, self._taken))
            self._taken = 0
