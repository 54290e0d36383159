"""The metrics of one prediction, by Cog's rules for names, types and modes."""

import re
from collections.abc import Callable
from typing import Any, cast

MODES = {None: "replace", "replace": "replace", "incr": "increment", "increment": "increment", "append": "append"}
"""What a model may say, and what an event calls it."""

OnMetric = Callable[[str, Any, str], None]

_MOST_CHARACTERS, _MOST_SEGMENTS = 128, 4
_SEGMENT = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*")
_TYPES = (bool, int, float, str, list, dict)


class MetricRecorder:
    """What a model sees as `scope.metrics`.

    Args:
        values: Where the metrics go, nested as their dotted names say.
        on_metric: Told each change: the name, the value, the mode.
    """

    def __init__(self, values: dict[str, Any], on_metric: OnMetric) -> None:
        self._values = values
        self._on_metric = on_metric
        self._types: dict[str, type] = {}

    def record(self, key: str, value: Any, mode: str | None = None) -> None:
        """Replace a metric, add to it (``incr``), or append to it (``append``).

        Raises:
            ValueError: If that is no name for a metric.
            TypeError: If the value, the mode or a change of the value's type is not allowed.
        """
        if mode not in MODES:
            raise TypeError(f"Invalid metric mode: '{mode}'. Expected 'replace', 'incr', or 'append'.")
        _check_name(key)
        if key == "predict_time":
            raise ValueError("'predict_time' is reserved by the runtime")
        if key.startswith("cog."):
            raise ValueError("the 'cog.' prefix is reserved for system metrics")
        kind = _type_of(value)
        known = self._types.setdefault(key, kind)
        if known is not kind:
            raise TypeError(
                f"Metric '{key}' has type {known.__name__}, cannot set to {kind.__name__} without deleting first"
            )
        if MODES[mode] == "increment" and kind not in (int, float):
            del self._types[key]
            raise TypeError(f"Increment mode requires int or float, got {kind.__name__}")
        self._apply(key, value, MODES[mode])

    def delete(self, key: str) -> None:
        """Forget a metric, which may then have another type."""
        _check_name(key)
        self._types.pop(key, None)
        self._apply(key, None, "replace")

    def __setitem__(self, key: str, value: Any) -> None:
        if value is None:
            self.delete(key)
        else:
            self.record(key, value)

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def __repr__(self) -> str:
        return f"MetricRecorder(keys={len(self._types)})"

    def _apply(self, key: str, value: Any, mode: str) -> None:
        self._on_metric(key, value, mode)
        *parents, leaf = key.split(".")
        place = self._values
        for name in parents:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        _CHANGES[mode](place, leaf, value)


def _replace(place: dict[str, Any], leaf: str, value: Any) -> None:
    if value is None:
        place.pop(leaf, None)
    else:
        place[leaf] = value


def _increment(place: dict[str, Any], leaf: str, value: float) -> None:
    before = place.get(leaf, 0)
    # Something else may stand there, as part of a dotted name: Cog leaves it alone.
    if isinstance(before, int | float) and not isinstance(before, bool):
        place[leaf] = before + value


def _append(place: dict[str, Any], leaf: str, value: Any) -> None:
    before = place.get(leaf, [])
    place[leaf] = [*cast("list[Any]", before if isinstance(before, list) else [before]), value]


_CHANGES: dict[str, Callable[[dict[str, Any], str, Any], None]] = {
    "replace": _replace,
    "increment": _increment,
    "append": _append,
}


def _type_of(value: Any) -> type:
    for kind in _TYPES:
        if isinstance(value, kind):
            return kind
    raise TypeError(
        f"Unsupported metric value type: {type(value).__name__}. Expected bool, int, float, str, list, or dict."
    )


def _check_name(key: str) -> None:
    if not key:
        raise ValueError("metric name must not be empty")
    if len(key) > _MOST_CHARACTERS:
        raise ValueError(
            f"metric name must be {_MOST_CHARACTERS} characters or fewer (got {len(key.encode())} characters)"
        )
    segments = key.split(".")
    if len(segments) > _MOST_SEGMENTS:
        raise ValueError(f"metric name must have at most {_MOST_SEGMENTS} dot-separated segments (got {len(segments)})")
    for place, segment in enumerate(segments):
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(_wrong_segment(segment, place, len(segments)))


def _wrong_segment(segment: str, place: int, count: int) -> str:
    """Cog's words for what is wrong with one part of a metric's name."""
    if not segment:
        if place == 0:
            return "metric name must not start with a dot"
        if place == count - 1:
            return "metric name must not end with a dot"
        return "metric name must not contain empty segments (consecutive dots)"
    start = f"metric name segment '{segment}'"
    if not (segment[0].isascii() and segment[0].isalpha()):
        return f"{start} must start with a letter"
    if odd := re.search(r"[^A-Za-z0-9_]|__", segment):
        found = odd.group()
        return (
            f"{start} must not contain consecutive underscores"
            if found == "__"
            else (f"{start} contains invalid character '{found}'")
        )
    return f"{start} must end with a letter or digit"
