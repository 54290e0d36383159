import asyncio

from livepeer.adapters.cog._face._events import MOST_SUBSCRIBERS, Event, EventLog


def log_of(count: int, *, replay: int) -> EventLog:
    log = EventLog(asyncio.get_running_loop(), replay=replay)
    for index in range(count):
        log.append(Event("output", index))
    return log


async def test_who_comes_late_gets_what_is_kept() -> None:
    subscription = log_of(3, replay=3).subscribe()
    assert subscription is not None
    assert subscription.missed == 0
    assert [event.data for event in subscription.log.take(subscription)] == [0, 1, 2]


async def test_who_comes_too_late_knows_how_much_is_gone() -> None:
    subscription = log_of(5, replay=3).subscribe()
    assert subscription is not None
    assert subscription.missed == 2


async def test_what_a_reader_has_not_seen_is_kept_for_it() -> None:
    log = log_of(0, replay=1)
    slow, fast = log.subscribe(), log.subscribe()
    assert slow is not None
    assert fast is not None
    for index in range(3):
        log.append(Event("output", index))
        assert [event.data for event in log.take(fast)] == [index]
    assert [event.data for event in log.take(slow)] == [0, 1, 2]


async def test_a_reader_that_has_left_holds_nothing_back() -> None:
    log = log_of(0, replay=1)
    gone = log.subscribe()
    assert gone is not None
    log.append(Event("output", 0))
    log.append(Event("output", 1))
    assert log.is_read
    log.leave(gone)
    assert not log.is_read
    late = log.subscribe()
    assert late is not None
    assert late.missed == 1


async def test_an_event_of_another_thread_wakes_a_reader() -> None:
    log = log_of(0, replay=1)
    subscription = log.subscribe()
    assert subscription is not None
    assert log.take(subscription) == []
    await asyncio.to_thread(log.append, Event("completed", {}))
    async with asyncio.timeout(10):
        await subscription.wake.wait()
    assert [event.name for event in log.take(subscription)] == ["completed"]


async def test_only_so_many_may_read() -> None:
    log = log_of(0, replay=1)
    assert all(log.subscribe() for _ in range(MOST_SUBSCRIBERS))
    assert log.subscribe() is None
