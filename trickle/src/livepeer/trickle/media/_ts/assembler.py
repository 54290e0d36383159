"""Packets of one track to units, each as soon as it is there."""

from collections.abc import Callable

from .clock import Clock
from .ends import End, Rules
from .nal import split_units, starts_keyframe
from .opus import split_packets
from .packets import SIZE, is_discontinuous, is_stuffed, payload_start
from .pes import START, PesHeader, read_header
from .tracks import Track, Unit

_LONGEST_UNIT = 1 << 23


class Assembler:
    """The units of one track.

    Args:
        track: Whose packets they are.
        clock: What all tracks of a program tell the time by.
        on_unit: Takes each unit.
        on_loss: Takes how many packets are missing before one.
    """

    def __init__(
        self, track: Track, clock: Clock, *, on_unit: Callable[[Unit], None], on_loss: Callable[[int], None]
    ) -> None:
        self.track = track
        self.next_counter: int | None = None
        """The counter that the next packet has unless some were lost, or None where any will do."""

        self.is_open = False
        """Whether a unit has begun."""

        self._clock = clock
        self._on_unit = on_unit
        self._on_loss = on_loss
        self._pes = bytearray()
        self._size = 0
        self._is_broken = False
        self._spans_segments = False
        self._arrived = 0.0
        self._last_payload: bytes | bytearray = b""
        self._rules = Rules()

    def read(self, packet: bytes, arrived: float) -> None:
        """Take a packet."""
        flags, control = packet[1], packet[3]
        if flags & 0x80 or control & 0xC0:  # Damaged, or scrambled.
            return
        if is_discontinuous(packet):
            self.next_counter = None
        start = payload_start(packet)
        if start >= SIZE:
            return
        payload = packet[start:]
        if not self._follows(control & 0x0F, payload):
            return
        self._last_payload = payload
        begins = bool(flags & 0x40)
        if begins and self._goes_on(payload):
            payload, begins, self._size = payload[9 + payload[8] :], False, 0
        self._rules.judge(has_ended=begins)
        if begins:
            self._begin(payload, arrived)
        self._extend(payload)
        if control & 0x20 and is_stuffed(packet) and self._has_data():
            self.end(End.STUFFING)

    def read_run(self, payload: bytearray, count: int) -> None:
        """Take the payload of `count` packets that follow the last one and hold nothing else."""
        assert self.next_counter is not None
        self.next_counter = (self.next_counter + count) & 0x0F
        self._last_payload = payload
        self._rules.judge(has_ended=False)
        self._extend(payload)

    def end(self, why: End) -> None:
        """End the unit that has begun, unless it is known to go on, or that reason to be none on this track."""
        if self.is_open and (not self._size or why is End.LENGTH) and self._rules.say(why):
            self.finish()

    def finish(self) -> None:
        """End the unit that has begun, if one has."""
        if not self.is_open:
            return
        self.is_open = False
        self._check_length()
        header = read_header(self._pes)
        if header is None:
            return
        data = bytes(memoryview(self._pes)[header.size : self._size or None])
        if not data:
            return
        if self.track.kind == "video":
            self._finish_video(data, header)
        elif self.track.codec == "opus":
            self._finish_opus(data, header)
        else:
            self._emit(data, *self._unwrap(header), is_keyframe=True)

    def end_segment(self, *, is_cut_off: bool) -> None:
        """End the unit that has begun, unless it is known to go on in the next segment, where counters begin anew.

        Args:
            is_cut_off: Whether the segment ended within a packet.
        """
        self._is_broken = self._is_broken or is_cut_off
        self.end(End.SEGMENT_END)
        self._spans_segments = self.is_open
        self.next_counter = None

    def restart(self) -> None:
        """Forget the unit that has begun, and the counter: what comes next does not follow."""
        self.is_open = False
        self._rules.forget()
        self.next_counter = None

    def _follows(self, counter: int, payload: bytes) -> bool:
        """Take note of a packet's counter; returns whether the packet is not a repetition of the last one."""
        expected = self.next_counter
        if expected is not None and counter != expected:
            lost = (counter - expected) & 0x0F
            if lost == 0x0F and self._last_payload.endswith(payload):
                return False
            self._is_broken = True
            self._rules.forget()
            self._on_loss(lost)
        self.next_counter = (counter + 1) & 0x0F
        return True

    def _begin(self, payload: bytes, arrived: float) -> None:
        self.finish()
        self._pes = bytearray()
        self._size = 0
        self._is_broken = self._spans_segments = False
        self._arrived = arrived
        self.is_open = payload.startswith(START)

    def _goes_on(self, payload: bytes) -> bool:
        """Return whether a PES packet holds more of the picture before it: no time, and no beginning of anything."""
        if self.track.kind != "video" or len(payload) < 9 or payload[7] & 0x80:
            return False
        begin = 9 + payload[8]
        return len(payload) > begin + 2 and payload[begin : begin + 2] != b"\0\0"

    def _extend(self, payload: bytes | bytearray) -> None:
        if not self.is_open:
            return
        pes = self._pes
        was_short = len(pes) < 6
        pes += payload
        if was_short and len(pes) >= 6 and self._rules.believe(End.LENGTH):
            length = pes[4] << 8 | pes[5]
            self._size = length and length + 6
        if self._size and len(pes) >= self._size:
            self.end(End.LENGTH)
        elif len(pes) > _LONGEST_UNIT:
            self.restart()

    def _has_data(self) -> bool:
        return len(self._pes) > 9 and len(self._pes) > 9 + self._pes[8]

    def _check_length(self) -> None:
        """Note that a unit is shorter than its header says: for want of packets, or because the header is wrong."""
        if len(self._pes) < self._size:
            if not self._is_broken and not self._spans_segments:
                self._rules.contradict(End.LENGTH)
            self._is_broken = True

    def _finish_video(self, data: bytes, header: PesHeader) -> None:
        codec = self.track.codec
        times: tuple[int | None, int | None] = self._unwrap(header)
        for unit in split_units(codec, data):
            self._emit(unit, *times, is_keyframe=starts_keyframe(codec, unit) is True)
            times = None, None

    def _finish_opus(self, data: bytes, header: PesHeader) -> None:
        pts, _ = self._unwrap(header)
        for packet, duration in split_packets(data):
            self._emit(packet, pts, pts, is_keyframe=True)
            pts = None if pts is None else pts + duration

    def _unwrap(self, header: PesHeader) -> tuple[int | None, int | None]:
        if header.pts is None:
            return None, None
        dts = self._clock.unwrap(header.pts if header.dts is None else header.dts)
        return dts if header.dts is None else self._clock.unwrap(header.pts), dts

    def _emit(self, data: bytes, pts: int | None, dts: int | None, *, is_keyframe: bool) -> None:
        unit = Unit(
            track=self.track,
            data=data,
            pts=pts,
            dts=dts,
            is_keyframe=is_keyframe,
            is_broken=self._is_broken,
            arrived=self._arrived,
        )
        self._on_unit(unit)
