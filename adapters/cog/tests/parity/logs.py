"""Cases of what models write."""

from typing import Any

from .asking import Prediction, fails, succeeded
from .records import Case, Difference, Model


def writes(how: str, logs: str, **more: Any) -> Case:
    return Case(name=how, ask=Prediction(input={"how": how}), cog=succeeded(how, logs=logs), **more)


def no_lines(words: str) -> Case:
    error = f"{words}: AttributeError: 'coglet._sdk._SlotLogWriter' object has no attribute 'writelines'"
    return fails("lines", {"how": "lines"}, error, ours=succeeded("lines", logs="a\nb\n"), because=Difference.LINES)


WAYS = [
    writes("print", "hello there\nagain\n"),
    writes("stderr", "to stderr\n"),
    writes("both", "out\nerr\nout again\n"),
    writes("pieces", "one line\n"),
    writes("flushed", "flushed and ended\n"),
    writes("empty lines", "\nafter an empty line\n"),
    writes("unicode", "é \U0001f600\n"),
    writes("long", "x" * 20_000 + "\n"),
    writes("logging", "a warning of logging\n"),
    writes(
        "warnings",
        '<project>/logs.py:46: UserWarning: a warning\n  warnings.warn("a warning", UserWarning, stacklevel=1)\n',
    ),
    writes("child", ""),
    writes("kept stream", "through a kept stream\n"),
    writes("tty", "False utf-8\n"),
    writes(
        "no newline",
        "",
        ours=succeeded("no newline", logs="no newline"),
        because=Difference.LEFT_OVER,
    ),
    writes(
        "print",
        "no newlinehello there\nagain\n",
        ours=succeeded("print", logs="hello there\nagain\n"),
        because=Difference.LEFT_OVER,
    ),
]

MODELS = (
    Model(
        name="logs",
        file="logs.py",
        target="Writing",
        cases=[*WAYS, writes("thread", "from a thread\n"), no_lines("Prediction failed")],
    ),
    Model(
        name="logs of an async model",
        file="logs.py",
        target="WritingLater",
        cases=[
            *WAYS,
            writes(
                "thread",
                "",
                ours=succeeded("thread", logs="from a thread\n"),
                because=Difference.THREAD,
            ),
            no_lines("Async prediction failed"),
        ],
    ),
    Model(
        name="logs of an iterator",
        file="logs.py",
        target="WritingMore",
        cases=[
            Case(
                name="three lines",
                ask=Prediction(input={"count": 3}),
                cog=succeeded([0, 1, 2], logs="line 0\nline 1\nline 2\n"),
            )
        ],
    ),
    Model(
        name="logs of a failure",
        file="logs.py",
        target="WritingThenFailing",
        cases=[fails("one line", {}, "Prediction failed: ValueError: after the print")],
    ),
    Model(
        name="logs of a configured logger",
        file="logs.py",
        target="ConfiguredLogging",
        cases=[
            Case(
                name="one line",
                ask=Prediction(input={"text": "t"}),
                cog=succeeded("t", logs="INFO in predict: t\n"),
            )
        ],
    ),
)
