"""What becomes of messages when the server dies or stalls: nothing is lost without a word."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import anyio
import pytest
from anyio import fail_after
from commands import ServeCommand, serving
from scripted_servers import Do, ScriptedServer, next_is, scripted

from livepeer.trickle import (
    AsyncJSONLReader,
    AsyncJSONLWriter,
    JSONLReader,
    JSONLWriter,
    Lost,
    Outcome,
    SegmentLostError,
    TrickleError,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LONG = "x" * 100_000


@pytest.fixture
def process() -> Iterator[ServeCommand]:
    with serving() as running:
        yield running


@pytest.fixture
def stalled() -> Iterator[ScriptedServer]:
    """A server that makes a channel, and never reads what is published to it."""
    done = threading.Event()
    with scripted(
        {"c": [OK], "next": [next_is(0)], "0": [(done, Do.DROP)], "1": [(done, Do.DROP)], "2": [(done, Do.DROP)]}
    ) as server:
        yield server
        done.set()


def write_for_ever(writer: JSONLWriter, message: Any) -> None:
    while True:
        writer.write(message)
        writer.poll()


async def write_for_ever_async(writer: AsyncJSONLWriter, message: Any) -> None:
    while True:
        await writer.write(message)
        await anyio.lowlevel.checkpoint()
        assert writer.stats.unsent_bytes < 400_000


async def test_a_segment_that_died_with_its_server_is_raised_once_and_the_channel_goes_on(process: ServeCommand):
    outcomes: list[Outcome] = []
    options: dict[str, Any] = {"max_buffered_bytes": 100_000, "on_outcome": outcomes.append}
    with fail_after(20):
        async with AsyncJSONLWriter(f"{process.url}/c", **options) as writer:
            await writer.write_all([LONG, LONG])  # More than the publisher keeps to send it again.
            await writer.flush()
            await anyio.to_thread.run_sync(process.kill)
            await anyio.to_thread.run_sync(process.start)
            with pytest.raises(SegmentLostError) as raised:
                await write_for_ever_async(writer, 1)
            await writer.write(2)
            await writer.flush()
            async with AsyncJSONLReader(f"{process.url}/c", start="earliest") as reader:
                while await anext(reader) != 2:
                    pass
    losses = [outcome for outcome in outcomes if isinstance(outcome, Lost)]
    assert [raised.value.outcome] == losses
    assert writer.stats.lost == 1


def test_a_segment_that_died_with_its_server_is_raised_once_by_the_blocking_twin(process: ServeCommand):
    with JSONLWriter(f"{process.url}/c", max_buffered_bytes=100_000) as writer:
        writer.write_all([LONG, LONG])
        writer.flush()
        process.kill()
        process.start()
        with pytest.raises(SegmentLostError):
            write_for_ever(writer, 1)
        writer.write(2)
        writer.flush()
        with JSONLReader(f"{process.url}/c", start="earliest") as reader:
            while next(reader) != 2:
                pass
        assert writer.stats.lost == 1


async def test_a_short_segment_survives_its_server(process: ServeCommand):
    with fail_after(20):
        async with AsyncJSONLWriter(f"{process.url}/c") as writer:
            await writer.write(1)
            await writer.flush()
            await anyio.to_thread.run_sync(process.kill)
            await anyio.to_thread.run_sync(process.start)
            await writer.write(2)
            await writer.flush()
            async with AsyncJSONLReader(f"{process.url}/c", start="earliest", wait_seconds=10) as reader:
                assert [await anext(reader), await anext(reader)] == [1, 2]


async def test_a_stalled_server_makes_the_writer_wait_and_its_loss_is_raised(stalled: ScriptedServer):
    outcomes: list[Outcome] = []
    writer = AsyncJSONLWriter(stalled.url, stall_seconds=0.5, delete=False, on_outcome=outcomes.append)
    with fail_after(20):
        await writer.start()
        with pytest.raises(SegmentLostError, match=r"segment \d"):
            await write_for_ever_async(writer, LONG)
        begun = time.monotonic()
        await writer.close(timeout_seconds=0.5)
    assert time.monotonic() - begun < 1.5
    assert writer.stats.messages < 200
    assert {type(outcome) for outcome in outcomes} == {Lost}


async def test_what_was_not_sent_at_the_close_is_counted_and_logged(
    stalled: ScriptedServer, caplog: pytest.LogCaptureFixture
):
    writer = AsyncJSONLWriter(stalled.url, delete=False)
    with fail_after(20), caplog.at_level(logging.WARNING, "livepeer.trickle"):
        await writer.start()
        with anyio.move_on_after(0.5):
            await write_for_ever_async(writer, LONG)
        stats = await writer.close(timeout_seconds=0.2)
    assert stats.unsent_bytes > 0
    assert stats.lost > 0
    assert [
        r for r in caplog.records if f"{stats.unsent_bytes} bytes of messages were not sent" in r.getMessage()
    ] != []


async def test_a_writer_that_drops_never_waits_and_raises_no_loss_of_its_own_choice(stalled: ScriptedServer):
    outcomes: list[Outcome] = []
    options: dict[str, Any] = {"overflow": "drop_oldest", "rotate_bytes": 200_000, "delete": False}
    writer = AsyncJSONLWriter(stalled.url, on_outcome=outcomes.append, **options)
    with fail_after(5):
        await writer.start()
        for _ in range(300):
            await writer.write(LONG)
        await writer.close(timeout_seconds=0.2)
    dropped = [outcome for outcome in outcomes if isinstance(outcome, Lost) and outcome.reason == "dropped"]
    assert dropped != []
    assert writer.stats.lost == len(outcomes)


def test_a_blocking_writer_says_what_was_lost_too(stalled: ScriptedServer):
    outcomes: list[Outcome] = []
    writer = JSONLWriter(stalled.url, stall_seconds=0.5, delete=False, on_outcome=outcomes.append)
    writer.start()
    with pytest.raises(SegmentLostError):
        write_for_ever(writer, LONG)
    begun = time.monotonic()
    with suppress(TrickleError):
        writer.write(LONG)
    writer.close(timeout_seconds=0.5)
    assert time.monotonic() - begun < 2
    assert writer.stats.lost == len(outcomes) > 0
