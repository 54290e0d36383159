"""What came of the facts, as a table or as JSON."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from livepeer.conformance import Result

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


@contextmanager
def progress() -> Generator[Callable[[Result], None]]:
    """Count the results on a terminal's standard error while they come; give what takes each one."""
    console = Console(stderr=True)
    counts = Counter[str]()
    with console.status("checking") as status:

        def count(result: Result) -> None:
            counts[result.outcome] += 1
            status.update(f"checking: {_counted(counts)}")

        yield count if console.is_terminal else _ignore


def report(results: Sequence[Result], *, as_json: bool) -> None:
    """Print the results.

    Raises:
        typer.Exit: With 1, if a fact does not hold.
    """
    (_print_json if as_json else _print_table)(results)
    if any(result.outcome == "failed" for result in results):
        raise typer.Exit(1)


def _print_table(results: Sequence[Result]) -> None:
    """Print a row a fact, the reasons below it, and a last line that counts them."""
    table = Table("section", "fact", "outcome", "sentence", box=None, pad_edge=False)
    for result in results:
        fact, style = result.fact, _STYLES[result.outcome]
        sentence = Text(f"{fact.sentence}{' (a fault)' if fact.fault else ''}")
        if result.reason:
            sentence.append(f"\n{result.reason}", style)
        table.add_row(str(fact.section), Text(fact.id), Text(result.outcome, style), sentence)
    console = Console(highlight=False)
    console.print(table)
    console.print(_counted(Counter(result.outcome for result in results)))


def _print_json(results: Sequence[Result]) -> None:
    """Print a list with one object a fact."""
    found = [
        {**asdict(result.fact), "outcome": result.outcome, "reason": result.reason, "seconds": round(result.seconds, 3)}
        for result in results
    ]
    json.dump(found, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in _STYLES)


def _ignore(result: Result) -> None:
    del result
