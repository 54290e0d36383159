"""The test class that an adapter's author derives from."""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from ._sample import Sample

_ALWAYS = ("echo", "failing", "exiting", "crashing", "printing", "slow_setup", "failing_setup", "broken")

_BY_FLAG: Mapping[str, tuple[str, ...]] = {
    "streams": ("streaming", "failing_midway"),
    "streams_async": ("async_streaming",),
    "cancels": ("blocking",),
    "cancels_async": ("async_blocking",),
    "takes_files": ("file_in",),
    "gives_files": ("file_out",),
    "batches": ("batching",),
    "mounts": ("mounted",),
    "runs_live": ("live",),
}

_WITH_GOOD_INPUT = ("failing", "exiting", "crashing", "blocking", "async_blocking")


class AdapterConformance:
    """Proves an adapter: derive from it, name the adapter, say what it can, and bring the samples.

    Needs ``pytest_plugins = ["livepeer.conformance.plugin"]`` in the test module, and livepeer-server. Each clause is
    one test where it is about loading, and one for each placement where it is about serving.
    """

    adapter: ClassVar[str]
    """The adapter's entry-point name."""

    xfails: ClassVar[Mapping[str, str]] = {}
    """Clauses that are known not to hold, by id, each with the reason; one that does hold is then a failure."""

    environment: ClassVar[Mapping[str, str]] = {}
    """Variables for the processes in which the adapter runs."""

    streams: ClassVar[bool] = False
    """It streams what a sync model yields."""

    streams_async: ClassVar[bool] = False
    """It streams what an async model yields."""

    cancels: ClassVar[bool] = False
    """It stops sync work when the caller leaves."""

    cancels_async: ClassVar[bool] = False
    """It stops async work when the caller leaves."""

    takes_files: ClassVar[bool] = False
    gives_files: ClassVar[bool] = False
    batches: ClassVar[bool] = False
    """Concurrent calls may meet in one call of the model."""

    mounts: ClassVar[bool] = False
    """The framework's own routes are served beside the operations."""

    runs_live: ClassVar[bool] = False
    """It serves capabilities that are live."""

    tears_down: ClassVar[bool] = True
    """The framework has something like a `teardown()`."""

    echo: ClassVar[Sample]
    """Answers with the text of its input; the text stands in one field, and in the output."""

    failing: ClassVar[Sample]
    """Raises an error of its own, with `sesame` in its text."""

    exiting: ClassVar[Sample]
    """Calls `sys.exit("sesame")`."""

    crashing: ClassVar[Sample]
    """Ends its process with `os._exit(3)`."""

    printing: ClassVar[Sample]
    """Prints `called`."""

    slow_setup: ClassVar[Sample]
    """Prints `setup begins`, takes a second, prints `setup ends`; a call prints `called`, the end `torn down`."""

    failing_setup: ClassVar[Sample]
    """Prints `setup begins` and raises an error with `sesame`; the end prints `torn down`."""

    broken: ClassVar[Sample]
    """Cannot be imported: its module raises an error with `sesame`."""

    streaming: ClassVar[Sample]
    """Yields at least three items with 0.2 s between them, and prints `closed` when it is closed early."""

    async_streaming: ClassVar[Sample]
    """The same, async."""

    failing_midway: ClassVar[Sample]
    """Yields its output's items, then raises an error with `sesame`."""

    blocking: ClassVar[Sample]
    """Prints `called`, goes on until it is cancelled, and prints `cancelled`; sync."""

    async_blocking: ClassVar[Sample]
    """The same, async."""

    file_in: ClassVar[Sample]
    """Takes a file, in whatever form the framework's users send it, and answers with what it finds in it."""

    file_out: ClassVar[Sample]
    """Answers with a file."""

    batching: ClassVar[Sample]
    """Answers with the number of calls in its batch; its output is how many fit in one."""

    mounted: ClassVar[Sample]
    """Has a route of the framework's own."""

    live: ClassVar[Sample]
    """Is live, and goes on without any channel; its input are params, its output those in force then."""

    def test_clause(self, prove: Callable[[], None]) -> None:
        """One clause, in one placement."""
        prove()


def kit_errors(kit: type[AdapterConformance]) -> Iterator[str]:
    """What an author has still to bring, or brings too much; a sentence each."""
    if not getattr(kit, "adapter", ""):
        yield "set adapter to the adapter's entry-point name"
    for role in _ALWAYS:
        if not hasattr(kit, role):
            yield f"bring the sample {role}; AdapterConformance.{role} says what it does"
    for flag, roles in _BY_FLAG.items():
        for role in roles:
            if getattr(kit, flag) and not hasattr(kit, role):
                yield f"{flag} is set: bring the sample {role}"
            if not getattr(kit, flag) and hasattr(kit, role):
                yield f"there is a sample {role}: set {flag}"
    for role in _WITH_GOOD_INPUT:
        if getattr(getattr(kit, role, None), "good_input", ...) is None:
            yield f"{role} needs a good_input, to see that its target goes on"
