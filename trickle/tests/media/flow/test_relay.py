"""A stream without hooks."""

from media_clips import make_clip
from media_stages import Stage


def test_bytes_are_relayed_segment_by_segment(stage: Stage) -> None:
    clip = make_clip(seconds=3.0)
    stage.start()
    stage.play(clip)
    assert stage.wait_for_end().reason == "input_ended"
    stage.finish()
    assert stage.collector.segments == clip.segments


def test_bytes_that_are_no_media_are_relayed_too(stage: Stage) -> None:
    stage.start()
    for data in (b"some", b"bytes"):
        stage.send(data)
    stage.collector.wait_for(lambda data: data == b"somebytes")
    assert stage.transform.stats.frames_in == 0


def test_the_frames_that_pass_are_counted(stage: Stage) -> None:
    stage.start()
    stage.play(make_clip())
    stage.wait_for_end()
    stats = stage.transform.stats
    assert (stats.frames_in, stats.frames_out) == (60, 60)
    assert stats.audio_frames_in == stats.audio_frames_out >= 94
    assert stats.latency_seconds is not None


def test_without_an_output_the_input_is_read_all_the_same(stage: Stage) -> None:
    stage.start(publishes=False)
    stage.play(make_clip())
    assert stage.wait_for_end().reason == "input_ended"
    assert stage.transform.stats.frames_in == 60
    assert stage.transform.stats.frames_out == 0


def test_a_piece_arrives_before_its_segment_ends(stage: Stage) -> None:
    stage.start()
    segment = stage.input.segment()
    segment.write(b"first")
    stage.collector.wait_for(lambda data: data == b"first")
    segment.write(b"second")
    stage.collector.wait_for(lambda data: data == b"firstsecond")
