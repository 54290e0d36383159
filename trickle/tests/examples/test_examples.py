"""The examples run as their READMEs say."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trickle_servers import RunningServer, running_server

from livepeer.trickle import Publisher, Subscriber

EXAMPLES = Path(__file__).parents[3] / "examples" / "trickle"
LIMIT_SECONDS = 20.0


@pytest.fixture(scope="module")
def server() -> Generator[RunningServer]:
    with running_server() as running:
        yield running


@contextmanager
def example(name: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-u", EXAMPLES / name, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def output(running: subprocess.Popen[str]) -> list[str]:
    printed, errors = running.communicate(timeout=LIMIT_SECONDS)
    assert (running.returncode, errors) == (0, "")
    return printed.splitlines()


def test_publish_publishes_five_segments(server: RunningServer):
    url = f"{server.base_url}/counter"
    with example("publish.py", url) as publish, Subscriber(url, start=0, wait_seconds=LIMIT_SECONDS) as subscriber:
        assert [segment.read() for segment in subscriber] == [b"number %d\n" % number for number in range(5)]
        (stats,) = output(publish)
    assert "acknowledged=5" in stats


def test_subscribe_prints_what_a_channel_has(server: RunningServer):
    url = f"{server.base_url}/printed"
    with Publisher(url) as publisher, example("subscribe.py", url) as subscribe:
        publisher.publish(b"one").outcome()
        assert subscribe.stdout
        assert subscribe.stdout.readline() == "0 b'one'\n"
        publisher.publish(b"two").outcome()
        assert subscribe.stdout.readline() == "1 b'two'\n"
        publisher.close()
        assert output(subscribe) == []


def test_telemetry_reads_what_it_writes(server: RunningServer):
    with example("telemetry.py", f"{server.base_url}/events") as telemetry:
        assert output(telemetry) == [str({"type": "status", "frame": frame}) for frame in range(100)]


def test_relay_copies_a_channel(server: RunningServer):
    source, target = f"{server.base_url}/source", f"{server.base_url}/target"
    with (
        Publisher(source) as publisher,
        example("relay.py", source, target) as relay,
        Subscriber(target, start=0, wait_seconds=LIMIT_SECONDS) as subscriber,
    ):
        for data in (b"one", b"two"):
            publisher.publish(data).outcome()
            assert next(subscriber).read() == data
        publisher.close()
        assert output(relay) == ["Acknowledged(seq=0, bytes=3)", "Acknowledged(seq=1, bytes=3)"]
        assert list(subscriber) == []


def test_brightness_measures_what_fade_publishes(server: RunningServer):
    url = f"{server.base_url}/cam"
    with example("brightness.py", url) as brightness, example("fade.py", url):
        assert brightness.stdout
        words = [brightness.stdout.readline().split() for _ in range(50)]
    numbers = [round(float(seconds) * 25) for seconds, *_ in words]
    assert numbers == list(range(numbers[0], numbers[0] + 50))
    assert [int(level) for _, _, level, *_ in words] == pytest.approx(numbers, abs=1)


def test_serve_publishes_the_time_itself():
    with example("serve.py", "0") as serve:
        assert serve.stdout
        with Subscriber(serve.stdout.readline().strip()) as subscriber:
            assert b":" in next(subscriber).read()
