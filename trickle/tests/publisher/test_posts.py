"""The bytes of one segment, however they are taken."""

from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle._publish.posts import Post
from livepeer.trickle._wire.chunks import ChunkDecoder

Writes = st.lists(st.binary(min_size=1, max_size=9000), max_size=8)


def taken_from(post: Post, counts: list[int]) -> bytes:
    """Take some of what is to be sent, in pieces; the rest stays."""
    taken = b""
    for count in counts:
        if post.unsent:
            part = b"".join(post.outgoing())[: max(1, count)]
            post.took(len(part), 0.0)
            taken += part
    return taken


def decoded(data: bytes) -> bytes:
    decoder = ChunkDecoder()
    parts = decoder.feed(data)
    assert decoder.done
    assert not decoder.unused
    return b"".join(parts)


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=9000), st.lists(st.integers(1, 12_000), max_size=3)), max_size=8)
)
def test_what_is_taken_is_what_was_written(writes: list[tuple[bytes, list[int]]]):
    post = Post(held_bytes=0)
    taken = b""
    for data, counts in writes:
        post.write(data)
        taken += taken_from(post, counts)
    post.end()
    assert post.unsent == sum(map(len, post.outgoing()))
    taken += taken_from(post, [post.unsent])
    assert post.whole
    assert post.unsent == 0
    assert decoded(taken) == b"".join(data for data, _ in writes)
    assert post.size == sum(len(data) for data, _ in writes)


@given(Writes, st.lists(st.integers(1, 9000), max_size=5), Writes)
def test_a_segment_that_is_kept_can_be_sent_again_from_its_start(
    before: list[bytes], counts: list[int], after: list[bytes]
):
    post = Post(held_bytes=1_000_000)
    for data in before:
        post.write(data)
    taken_from(post, counts)
    post.broken = "for some reason"
    assert post.rewind()
    assert not post.begun
    assert post.broken is None
    for data in after:
        post.write(data)
    post.end()
    assert decoded(taken_from(post, [post.unsent])) == b"".join(before + after)


def test_a_segment_that_is_not_kept_can_be_sent_again_while_nothing_of_it_was_sent():
    post = Post(held_bytes=10)
    post.write(b"a" * 11)
    assert post.rewind()
    taken_from(post, [1])
    assert not post.rewind()


def test_many_small_writes_become_few_buffers():
    post = Post(held_bytes=0)
    for _ in range(10_000):
        post.write(b"a")
    assert len(post.outgoing()) < 20
