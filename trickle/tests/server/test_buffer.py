"""The bytes of a segment: shared by all readers, each at its own place."""

from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle.server._buffer import BLOCK_BYTES, LARGEST_BLOCK_BYTES, BufferReader, SegmentBuffer


def read_all(reader: BufferReader) -> list[bytes]:
    parts: list[bytes] = []
    while part := reader.read():
        parts.append(part)
    return parts


def test_many_small_writes_come_to_a_late_reader_in_few_large_parts():
    buffer = SegmentBuffer()
    for at in range(3 * BLOCK_BYTES):
        buffer.append(b"%d" % (at % 10))

    parts = read_all(BufferReader(buffer))

    assert [len(part) for part in parts] == [BLOCK_BYTES] * 3
    assert b"".join(parts) == (b"0123456789" * BLOCK_BYTES)[: 3 * BLOCK_BYTES]


def test_a_large_part_is_the_same_object_for_every_reader():
    buffer = SegmentBuffer()
    large = bytes(4 * BLOCK_BYTES)
    buffer.append(b"small")
    buffer.append(large)

    for _ in range(2):
        small, shared = read_all(BufferReader(buffer))
        assert small == b"small"
        assert shared is large


def test_what_is_larger_still_is_cut_up_once_for_all_readers():
    buffer = SegmentBuffer()
    buffer.append(bytes(10) + bytes([1]) * (2 * LARGEST_BLOCK_BYTES))

    parts, again = (read_all(BufferReader(buffer)) for _ in range(2))

    assert [len(part) for part in parts] == [LARGEST_BLOCK_BYTES, LARGEST_BLOCK_BYTES, 10]
    assert all(part is other for part, other in zip(parts, again, strict=True))


def test_a_reader_gets_what_came_since_it_last_read():
    buffer = SegmentBuffer()
    reader = BufferReader(buffer)

    assert (reader.read(), reader.at_end) == (b"", True)
    buffer.append(b"one")
    assert (reader.at_end, reader.read(), reader.at_end) == (False, b"one", True)
    buffer.append(bytes(BLOCK_BYTES))
    assert reader.read() == bytes(BLOCK_BYTES)
    assert reader.at_end


def test_a_reader_of_a_buffer_that_was_cleared_is_at_its_end():
    buffer = SegmentBuffer()
    buffer.append(bytes(2 * BLOCK_BYTES))
    buffer.append(b"tail")
    reader = BufferReader(buffer)
    reader.read()

    buffer.clear()

    assert (reader.read(), reader.at_end, buffer.size) == (b"", True, 0)


@given(st.lists(st.one_of(st.just(None), st.sampled_from([1, 7, 1000, 30_000, 40_000, BLOCK_BYTES, 100_000, 600_000]))))
def test_readers_lose_nothing_whenever_they_read(sizes: list[int | None]):
    """None: one reader reads; the other reads in the end."""
    buffer = SegmentBuffer()
    early, written, read = BufferReader(buffer), b"", b""
    for at, size in enumerate(sizes):
        if size is None:
            read += early.read()
        else:
            data = bytes([at % 256]) * size
            buffer.append(data)
            written += data

    read += b"".join(read_all(early))

    assert read == written
    assert b"".join(read_all(BufferReader(buffer))) == written
    assert buffer.size == len(written)
    assert early.at_end
