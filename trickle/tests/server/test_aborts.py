"""A publisher that goes away in the middle of a segment."""

from .server_wire import Served, Wire, served, until

PATIENT = {"abort_grace_seconds": 60}
HASTY = {"abort_grace_seconds": 0.01}


async def half_post(site: Served, data: bytes = b"half", seq: int = 0) -> None:
    """Post the beginning of a segment, then drop the connection."""
    async with site.wire() as publisher:
        await publisher.preconnect(f"/ch/{seq}")
        await publisher.chunk(data)
        await until(lambda: site.server.channel("ch") is not None)
        await until(lambda: (segment := site.channel().held(seq)) is not None and segment.size > 0)
    await until(lambda: (segment := site.channel().held(seq)) is None or segment.publishers == 0)


async def begun(site: Served, wire: Wire, data: bytes = b"half") -> None:
    await wire.ask("GET", "/ch/0")
    assert (await wire.head()).status == 200
    assert await wire.part() == data


async def test_another_publisher_goes_on_in_time_and_the_readers_see_one_whole_segment():
    async with served(**PATIENT) as site, site.wire() as reader:
        await half_post(site)
        await begun(site, reader)

        assert (await site.ask("POST", "ch/0", body=b" and half")).status == 200

        assert await reader.part() == b" and half"
        assert await reader.part() == b""
        assert (await site.ask("GET", "ch/0")).body == b"half and half"


async def test_another_publisher_may_take_longer_than_the_grace_once_it_has_come():
    async with served(abort_grace_seconds=0.1) as site, site.wire() as second, site.wire() as reader:
        await half_post(site)
        await begun(site, reader)
        segment = site.channel().held(0)
        assert segment is not None
        await second.preconnect("/ch/0")
        await second.chunk(b" and")
        assert await reader.part() == b" and"
        await until(lambda: not segment.ending)  # The grace of the first one is over.

        await second.chunk(b" half")
        await second.send(b"0\r\n\r\n")

        assert (await second.answer()).status == 200
        assert [await reader.part(), await reader.part()] == [b" half", b""]


async def test_nobody_goes_on_in_time_and_the_readers_are_broken_off_early_and_late():
    async with served(**HASTY) as site, site.wire() as early, site.wire() as late:
        await half_post(site)
        await early.ask("GET", "/ch/0")

        assert (await early.rest()).endswith(b"4\r\nhalf\r\n")
        await until(lambda: site.channel().held(0).broken)
        await late.ask("GET", "/ch/0")
        assert (await late.rest()).endswith(b"4\r\nhalf\r\n")


async def test_a_broken_segment_takes_no_more():
    async with served(**HASTY) as site, site.wire() as reader:
        await half_post(site)
        await until(lambda: site.channel().held(0).broken)

        answer = await site.ask("POST", "ch/0", body=b" too late")

        assert (answer.status, answer.headers["connection"], answer.headers["lp-trickle-seq"]) == (200, "close", "0")
        await reader.ask("GET", "/ch/0")
        assert (await reader.rest()).endswith(b"4\r\nhalf\r\n")


async def test_a_second_publisher_that_goes_too_leaves_the_segment_broken():
    async with served(abort_grace_seconds=0.3) as site, site.wire() as reader:
        await half_post(site)
        segment = site.channel().held(0)
        assert segment is not None
        async with site.wire() as silent:
            await silent.preconnect("/ch/0")
            await until(lambda: segment.publishers == 1)
            assert not segment.closed
        await reader.ask("GET", "/ch/0")

        assert (await reader.rest()).endswith(b"4\r\nhalf\r\n")
        assert segment.broken


async def test_a_publisher_that_waits_keeps_the_segment_open_beyond_the_grace():
    async with served(**HASTY) as site, site.wire() as waiting, site.wire() as reader:
        await waiting.preconnect("/ch/0")
        await until(lambda: site.server.channel("ch") is not None and site.channel().held(0) is not None)
        async with site.wire() as leaving:
            await leaving.preconnect("/ch/0")
            await leaving.chunk(b"half")
            await begun(site, reader)
        segment = site.channel().held(0)
        assert segment is not None
        await until(lambda: segment.publishers == 1)
        await until(lambda: len(segment.ending) == 1)  # Nobody else waits for anything.
        assert not segment.closed

        await waiting.chunk(b" whole")
        await waiting.send(b"0\r\n\r\n")

        assert (await waiting.answer()).status == 200
        assert [await reader.part(), await reader.part()] == [b" whole", b""]


async def test_a_publisher_that_leaves_before_its_first_byte_changes_nothing():
    async with served(**HASTY) as site, site.wire() as reader:
        site.server.create("ch")
        await reader.ask("GET", "/ch/0")
        await site.readers_wait()
        async with site.wire() as publisher:
            await publisher.preconnect("/ch/0")
            await until(lambda: site.channel().held(0).publishers == 1)
        await until(lambda: site.channel().held(0).publishers == 0)

        assert site.channel().next_seq == 0
        assert (await site.ask("POST", "ch/0", body=b"data")).status == 200
        assert (await reader.answer()).body == b"data"


async def test_what_is_no_chunk_ends_like_a_lost_connection():
    async with served(**HASTY) as site, site.wire() as publisher, site.wire() as reader:
        await publisher.preconnect("/ch/0")
        await publisher.chunk(b"half")
        await begun(site, reader)

        await publisher.send(b"no chunk\r\n")

        assert await reader.rest() == b""
        assert (await publisher.rest()).startswith(b"HTTP/1.1 ")


async def test_a_segment_that_is_evicted_in_its_grace_ends_as_in_the_reference():
    async with served(**PATIENT) as site, site.wire() as reader:
        await half_post(site)
        await begun(site, reader)

        await site.ask("POST", "ch/5", body=b"later")

        assert await reader.part() == b""
