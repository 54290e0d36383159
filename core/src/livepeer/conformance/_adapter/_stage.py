"""Where samples are put on: servers, and looks at the adapter, each made once and used by many checks."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from livepeer.conformance._facts import Result
from livepeer.conformance._worker import Worker
from livepeer.conformance._worker._suite import check_worker

from ._finding import Finding
from ._kit import AdapterConformance
from ._program import TOKEN, Program, StageError, child_environment
from ._sample import Sample

_PROBE = "livepeer.conformance._adapter._probe"
_PROBE_SECONDS = 60.0

FOREIGN = {"empty.py": "", "constant.py": "ANSWER = 42\n", "words.txt": "nothing to serve\n", "folder/words.txt": ""}
"""Files that are no framework's."""


class Stage:
    """What one test class has running.

    Args:
        kit: The class.
    """

    def __init__(self, kit: type[AdapterConformance]) -> None:
        self.kit = kit
        self._programs: dict[tuple[str, str], Program] = {}
        self._others: list[Program] = []
        self._findings: dict[str, Finding] = {}
        self._wire: dict[str, dict[str, Result]] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="livepeer-conformance-")

    def program(self, sample: Sample, placement: str) -> Program:
        """The server of a sample, shared by all that ask for it.

        Raises:
            StageError: It does not come up.
        """
        key = (sample.target, placement)
        if key not in self._programs or self._programs[key].has_ended:
            self._programs[key] = self._start(sample, placement)
        return self._programs[key]

    def fresh_program(self, sample: Sample, placement: str) -> Program:
        """A server of a sample for one check alone.

        Raises:
            StageError: It does not come up.
        """
        self._others.append(self._start(sample, placement))
        return self._others[-1]

    def finding(self, target: str) -> Finding:
        """What a look at a target found.

        Raises:
            StageError: The adapter cannot even be found.
        """
        if target not in self._findings:
            [self._findings[target]] = self._look([target])
        return self._findings[target]

    def foreign_findings(self) -> dict[str, Finding]:
        """What a look at some files of nobody's found, by the target's words."""
        root = Path(self._folder.name)
        for name, text in FOREIGN.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        (root / "nothing").mkdir(exist_ok=True)
        names = ["empty.py", "constant.py", "constant.py:ANSWER", "words.txt", "folder", "nothing"]
        return dict(zip(names, self._look([str(root / name) for name in names]), strict=True))

    async def wire_results(self, placement: str) -> dict[str, Result]:
        """What came of a worker's clauses, each asked of the first sample with which it can be checked."""
        if placement not in self._wire:
            found: dict[str, Result] = {}
            for sample in self._asked():
                open_ones = [id for id, result in found.items() if result.outcome == "skipped"]
                if open_ones or not found:
                    found |= await self._ask(sample, placement, open_ones)
            self._wire[placement] = found
        return self._wire[placement]

    def close(self) -> None:
        """End everything."""
        for program in (*self._programs.values(), *self._others):
            program.stop()
        self._folder.cleanup()

    def _asked(self) -> list[Sample]:
        roles = ("echo", "streaming", "async_streaming", "blocking", "async_blocking")
        return [getattr(self.kit, role) for role in roles if hasattr(self.kit, role)]

    async def _ask(self, sample: Sample, placement: str, only: Sequence[str]) -> dict[str, Result]:
        worker = Worker(
            url=self.program(sample, placement).url,
            token=TOKEN,
            input=sample.input if sample.good_input is None else sample.good_input,
            slow_input=None if sample.good_input is None else sample.input,
        )
        return {result.fact.id: result for result in await check_worker(worker, only=only)}

    def _start(self, sample: Sample, placement: str) -> Program:
        return Program(sample.target, self.kit.adapter, placement, self.kit.environment)

    def _look(self, targets: Sequence[str]) -> list[Finding]:
        file = Path(self._folder.name, "findings.json")
        file.unlink(missing_ok=True)
        ran = subprocess.run(
            [sys.executable, "-m", _PROBE, self.kit.adapter, str(file), *targets],
            env=child_environment(self.kit.environment),
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
        if not file.exists():
            raise StageError(f"the adapter {self.kit.adapter!r} cannot be asked:\n{ran.stdout}{ran.stderr}")
        said = (ran.stdout + ran.stderr).splitlines()
        return [Finding.model_validate({**each, "said": said}) for each in json.loads(file.read_text())]
