"""What a native pipeline is: a class, an instance or a function of yours."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from livepeer.core import FunctionOperation, Info, Manifest, TargetError, network_name


class Pipeline:
    """Base of a native pipeline. Give it a `predict` (or `run`); everything else is optional.

    `predict` may be sync or async, and may return or yield. Its signature is the schema: one parameter
    that is a pydantic model is the whole body, any others become the body's fields.
    """

    name: ClassVar[str | None] = None
    """Name on the network; the class's own in kebab case if None. `pipeline_id` is read too."""

    version: ClassVar[str] = "0.0.0"
    description: ClassVar[str | None] = None
    """A sentence for whoever looks for it; the class's docstring if None."""

    capacity: ClassVar[int] = 1
    """How many calls run at once. With 1, a sync predict runs on the thread that ran `setup()`."""

    gpu: ClassVar[str | None] = None
    """What the model asks of a GPU; None if it needs none."""

    def setup(self) -> Any:
        """Load the model. May be async, and then runs on the loop of an async predict."""

    def teardown(self) -> Any:
        """Let go of what `setup()` took. May be async."""

    @classmethod
    def prepare_models(cls) -> None:
        """Fetch the weights. Run once, when the image is built."""


class PipelineCapability:
    """A native pipeline as the contract knows it.

    Args:
        pipeline: A `Pipeline` class or instance, any object or class with a predict, or a function.
        manifest: What a livepeer.yaml says of it, which wins.

    Raises:
        TargetError: If it has no predict, or several, or one without a schema.
    """

    def __init__(self, pipeline: Any, manifest: Manifest | None = None) -> None:
        self._model = instantiated(pipeline)
        predict = _predict_of(self._model)
        said = manifest.model_dump(exclude_none=True) if manifest is not None else {}
        operation = FunctionOperation(predict, capacity=said.get("capacity") or capacity_of(self._model))
        self.operations = (operation,)
        self.info = info_of(self._model, operation.description.summary, said)

    def setup(self) -> Any:
        """Run the pipeline's own `setup()`, if it has one."""
        return _run_hook(self._model, "setup")

    def teardown(self) -> Any:
        """Run the pipeline's own `teardown()`, if it has one."""
        return _run_hook(self._model, "teardown")


def is_pipeline(candidate: Any) -> bool:
    """Whether this is something to be served: a function, a pipeline, a live one too, or what has a predict."""
    cls = cast("type[Any]", candidate if isinstance(candidate, type) else type(candidate))
    if inspect.isfunction(candidate) or issubclass(cls, Pipeline):
        return True
    return any(callable(getattr(candidate, name, None)) for name in ("predict", "run"))


def instantiated(pipeline: Any) -> Any:
    """An instance of a class; anything else as it is.

    Raises:
        TargetError: If the class asks for arguments.
    """
    if not isinstance(pipeline, type):
        return pipeline
    try:
        inspect.signature(pipeline).bind()
    except TypeError as error:
        raise TargetError(
            f"{pipeline.__name__}() cannot be made without arguments ({error}); serve an instance instead"
        ) from error
    except ValueError:
        pass  # a class without a readable signature: calling it will tell
    return pipeline()


def _predict_of(model: Any) -> Callable[..., Any]:
    if inspect.isroutine(model):
        return model
    found = [name for name in ("predict", "run") if callable(getattr(model, name, None))]
    kind = type(model).__name__
    if len(found) == 2:
        raise TargetError(f"{kind} has both predict and run; keep one")
    if not found:
        if callable(model):
            return model
        raise TargetError(f"{kind} has no predict; define predict(self, ...) or run(self, ...)")
    return getattr(model, found[0])


def capacity_of(model: Any) -> int:
    """How many calls, or streams, a model takes at once.

    Raises:
        TargetError: If it says nonsense.
    """
    capacity = getattr(model, "capacity", 1)
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise TargetError(f"capacity must be an integer of at least 1, not {capacity!r}")
    return capacity


def info_of(model: Any, summary: str, said: Mapping[str, Any]) -> Info:
    """Who a model is.

    Args:
        model: Its own words come first: class attributes and docstring.
        summary: Of what it does, if it says nothing itself.
        said: What a livepeer.yaml says of it, which wins.

    Raises:
        TargetError: If a network would refuse the name.
    """
    named = cast("Any", model if inspect.isroutine(model) else type(model))
    name = getattr(model, "name", None) or getattr(model, "pipeline_id", None) or network_name(named.__name__)
    description = getattr(model, "description", None) or _own_doc(named) or summary
    own: dict[str, Any] = {
        "name": name,
        "version": str(getattr(model, "version", "0.0.0")),
        "description": description,
        "gpu": getattr(model, "gpu", None),
    }
    try:
        return Info(adapter="pipeline", **(own | {key: said[key] for key in own if key in said}))
    except ValueError as error:
        raise TargetError(f"{named.__name__}: {error}") from error


def _own_doc(named: Any) -> str:
    """A docstring that is the object's own, not one that it inherits from `Pipeline`."""
    return inspect.cleandoc(named.__doc__) if named.__doc__ and named.__doc__ is not Pipeline.__doc__ else ""


def _run_hook(model: Any, name: str) -> Any:
    hook = None if inspect.isroutine(model) else getattr(model, name, None)
    return hook() if callable(hook) else None
