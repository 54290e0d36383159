"""Places and the queue for them: nobody is forgotten, and none is lost."""

import asyncio

import pytest

from livepeer.core import BusyError
from livepeer.server._slots import Slots

pytestmark = pytest.mark.anyio


async def test_a_place_becomes_a_slot_in_turn() -> None:
    slots = Slots(1, 2)
    assert slots.take()
    first, second = slots.queue(), slots.queue()
    assert not slots.take()
    slots.release()
    assert (first.done(), second.done(), slots.in_use) == (True, False, 1)
    slots.release()
    assert second.done()
    slots.release()
    assert (slots.in_use, slots.waiting) == (0, 0)
    assert slots.take()


async def test_a_full_queue_refuses() -> None:
    slots = Slots(1, 1)
    slots.take()
    slots.queue()
    with pytest.raises(BusyError):
        slots.queue()
    with pytest.raises(BusyError):
        slots.check()


async def test_a_place_given_up_is_nobodys_and_a_slot_given_up_is_the_next_ones() -> None:
    slots = Slots(1, 2)
    slots.take()
    first, second = slots.queue(), slots.queue()
    slots.leave(first)
    slots.release()
    assert second.done()
    third = slots.queue()
    slots.leave(second)
    assert third.done()
    slots.leave(third)
    assert (slots.in_use, slots.waiting) == (0, 0)


async def test_a_slot_freed_before_its_waiter_looks_is_not_lost() -> None:
    slots = Slots(1, 1)
    slots.take()
    place = slots.queue()
    slots.release()
    await asyncio.wait_for(place, 1)
    slots.release()
    assert slots.take()
