"""Adapters that are wrong, each in a way of its own. They wrap the native one."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from livepeer.core import (
    Call,
    Encoded,
    Manifest,
    ModelFailedError,
    SessionReport,
    SessionStart,
    Target,
    TargetError,
)
from livepeer.runner import PipelineAdapter

ECHO = f"{Path(__file__).parents[3] / 'adapters' / 'pipeline' / 'tests' / 'samples.py'}:Echo"


class Operation:
    """An operation that does what the right one does, where nothing is said."""

    def __init__(self, right: Any) -> None:
        self.right = right
        self.description = right.description
        self.is_async = right.is_async

    def decode(self, body: bytes, media_type: str) -> Any:
        return self.right.decode(body, media_type)

    def invoke(self, value: Any, call: Call) -> Any:
        return self.right.invoke(value, call)

    def encode(self, value: Any) -> Encoded:
        return self.right.encode(value)


class Live:
    """Sessions that do what the right ones do, where nothing is said."""

    def __init__(self, right: Any) -> None:
        self.right = right
        self.description = right.description

    def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        return self.right.run(start, call)

    async def update(self, stream_id: str, params: Any) -> Any:
        return await self.right.update(stream_id, params)

    async def stop(self, stream_id: str, reason: str) -> None:
        await self.right.stop(stream_id, reason)


class Capability:
    sessions: type[Live] = Live

    def __init__(self, right: Any, operation: type[Operation]) -> None:
        self.right = right
        self.info = right.info.model_copy(update={"adapter": "wrong"})
        self.operations = tuple(operation(each) for each in right.operations)
        if hasattr(right, "live"):
            self.live = self.sessions(right.live)

    def setup(self) -> Any:
        return self.right.setup()

    def teardown(self) -> Any:
        return self.right.teardown()


class Adapter(PipelineAdapter):
    operation: type[Operation] = Operation
    capability: type[Capability] = Capability

    def load(self, target: Target) -> Any:
        return self.capability(super().load(target), self.operation)


class Greedy(Adapter):
    def claims(self, target: Target) -> bool:
        return True


class Blind(Adapter):
    def claims(self, target: Target) -> bool:
        return False


class Eager(Adapter):
    def load(self, target: Target) -> Any:
        found = super().load(target)
        with contextlib.suppress(ValueError):
            found.setup()
        return found


class Marking(Adapter):
    def load(self, target: Target) -> Any:
        target.load().served_by = self
        return super().load(target)


class Lenient(Adapter):
    def claims(self, target: Target) -> bool:
        return True

    def load(self, target: Target) -> Any:
        try:
            return super().load(target)
        except TargetError:
            return super().load(Target.parse(ECHO))


class Careless(Adapter):
    class operation(Operation):  # noqa: N801
        def decode(self, body: bytes, media_type: str) -> Any:
            document = json.loads(body)
            if set(document) - set(self.description.input_schema["properties"]):
                raise RuntimeError("what is this?")
            for name in self.description.input_schema.get("required", ()):
                document[name].strip()
            return super().decode(body, media_type)


class Telling(Adapter):
    class operation(Operation):  # noqa: N801
        def invoke(self, value: Any, call: Call) -> Any:
            try:
                found = super().invoke(value, call)
            except BaseException as error:
                raise ModelFailedError(str(error)) from error
            return self.tell(found) if self.description.streams else found

        def tell(self, items: Iterator[Any]) -> Iterator[Any]:
            try:
                yield from items
            except ValueError as error:
                raise ModelFailedError(str(error)) from error


class Collecting(Adapter):
    class operation(Operation):  # noqa: N801
        def invoke(self, value: Any, call: Call) -> Any:
            found = super().invoke(value, call)
            return self.collect_async(found) if self.is_async else iter(list(found)[:-1])

        async def collect_async(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            for item in [item async for item in items][:-1]:
                yield item


class Deaf(Adapter):
    class operation(Operation):  # noqa: N801
        def invoke(self, value: Any, call: Call) -> Any:
            found = super().invoke(value, Call(id=call.id))
            return self.shield(found) if self.is_async else found

        async def shield(self, work: Any) -> Any:
            return await asyncio.shield(asyncio.ensure_future(work))


class Mangling(Adapter):
    class operation(Operation):  # noqa: N801
        def encode(self, value: Any) -> Encoded:
            return Encoded(b'"mangled"', "application/json")


class Quiet(Adapter):
    def load(self, target: Target) -> Any:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        return super().load(target)


class Hasty(Adapter):
    class capability(Capability):  # noqa: N801
        def setup(self) -> Any:
            pass


class Forgetful(Adapter):
    class capability(Capability):  # noqa: N801
        def teardown(self) -> Any:
            pass


class Denying(Adapter):
    def load(self, target: Target) -> Any:
        os._exit = sys.exit
        return super().load(target)


class Misdescribing(Adapter):
    class operation(Operation):  # noqa: N801
        def __init__(self, right: Any) -> None:
            super().__init__(right)
            wrong = {"path": "/health", "input_schema": {"type": "array", "minItems": -1}, "streams": True}
            self.description = right.description.model_copy(update=wrong)

    class capability(Capability):  # noqa: N801
        class sessions(Live):  # noqa: N801
            def __init__(self, right: Any) -> None:
                super().__init__(right)
                wrong = {"params_schema": {"type": "array", "minItems": -1}}
                self.description = right.description.model_copy(update=wrong)

        def __init__(self, right: Any, operation: type[Operation]) -> None:
            super().__init__(right, operation)
            self.info = right.info

    def manifest(self, target: Target) -> Manifest:
        raise KeyError("handler")


class Fleeting(Adapter):
    class capability(Capability):  # noqa: N801
        class sessions(Live):  # noqa: N801
            async def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
                yield SessionReport(state="running")
                yield SessionReport(state="ended")


class Undying(Adapter):
    class capability(Capability):  # noqa: N801
        class sessions(Live):  # noqa: N801
            async def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
                yield SessionReport(state="running")
                await asyncio.Event().wait()

            async def stop(self, stream_id: str, reason: str) -> None:
                pass


class Agreeing(Adapter):
    class capability(Capability):  # noqa: N801
        class sessions(Live):  # noqa: N801
            async def update(self, stream_id: str, params: Any) -> Any:
                return {}
