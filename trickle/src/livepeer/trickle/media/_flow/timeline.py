"""Timestamps that go on over every jump of the input's."""

from dataclasses import dataclass

from livepeer.trickle.media._frames import TICKS
from livepeer.trickle.media._ts import Unit

_FORWARD = 1 * TICKS
_BACKWARD = TICKS // 5
_STEP = 3000
"""How far apart two units are thought to be where it is not known: a picture of 30 a second."""


@dataclass(slots=True)
class _Place:
    """Where one track is."""

    raw: int
    placed: int
    step: int
    offset: int
    arrived: float


class Timeline:
    """Places units in time: as they say, until they jump.

    A jump is a second or more ahead that did not pass on the clock either, or more than 0.2 s back. The track that
    jumps first sets one offset for all, so that they stay in step; each goes over to it where it jumps itself.
    """

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._offset = 0
        self.jumps = 0
        """How often the tracks have jumped."""

    def place(self, unit: Unit) -> None:
        """Give a unit timestamps that follow on those before; one that has none gets the next in turn."""
        place = self._places.get(unit.track.kind)
        raw = unit.dts if unit.dts is not None else unit.pts
        if raw is None:
            raw = 0 if place is None else place.raw + place.step
        offset = self.shift(unit.track.kind, raw, unit.arrived)
        unit.pts = (raw if unit.pts is None else unit.pts) + offset
        if unit.dts is not None:
            unit.dts += offset

    def shift(self, kind: str, raw: int, arrived: float) -> int:
        """Return what to add to a timestamp.

        Args:
            kind: The track.
            raw: The timestamp, in ticks.
            arrived: When it came, in seconds.
        """
        place = self._places.get(kind)
        if place is None:
            place = self._places[kind] = self._first(raw, arrived)
        elif self._has_jumped(place, raw, arrived):
            place.offset = self._offset_over(place, raw)
        if 0 < raw - place.raw <= _FORWARD:
            place.step = raw - place.raw
        place.raw, place.placed, place.arrived = raw, raw + place.offset, arrived
        return place.offset

    def _first(self, raw: int, arrived: float) -> _Place:
        return _Place(raw=raw - _STEP, placed=raw - _STEP, step=_STEP, offset=self._offset, arrived=arrived)

    def _has_jumped(self, place: _Place, raw: int, arrived: float) -> bool:
        step = raw - place.raw
        passed = max(0.0, arrived - place.arrived) * TICKS
        return step < -_BACKWARD or step > _FORWARD + passed

    def _offset_over(self, place: _Place, raw: int) -> int:
        """Return what to add from now on: what another track that jumped before has set, if that fits."""
        if -_BACKWARD <= raw + self._offset - place.placed <= _FORWARD and self._offset != place.offset:
            return self._offset
        self.jumps += 1
        latest = max(each.placed for each in self._places.values())
        self._offset = latest + place.step - raw
        return self._offset
