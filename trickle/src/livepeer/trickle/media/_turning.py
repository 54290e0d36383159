"""Pictures that lie on their side, as telephones record them: a file says so, a transport stream cannot."""

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.video.stream import VideoStream

_FORMATS = ("mov", "matroska")
"""Of files whose pictures may have to be turned."""

_FILTERS = {90: ("transpose", "cclock"), 180: ("rotate", "PI"), 270: ("transpose", "clock")}
"""What turns a picture by so many degrees against the clock."""


class Turner:
    """Turns pictures upright.

    Args:
        degrees: By how much, against the clock: 90, 180 or 270.
    """

    def __init__(self, degrees: int) -> None:
        self._filter = _FILTERS[degrees]
        self._graph: Graph | None = None
        self._form: tuple[object, ...] = ()

    def turn(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture upright, with the same timestamp."""
        form = (frame.width, frame.height, frame.format.name, frame.time_base)
        if self._graph is None or form != self._form:
            self._graph, self._form = self._make_graph(frame), form
        self._graph.vpush(frame)
        return self._graph.vpull()

    def _make_graph(self, frame: av.VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        graph.link_nodes(source, graph.add(*self._filter), graph.add("buffersink")).configure()
        return graph


def read_turn(container: InputContainer, stream: VideoStream) -> int | None:
    """Return by how many degrees, against the clock, a file's pictures have to be turned: 0, 90, 180 or 270.

    The first picture is decoded for that, so the file has to be opened anew after it; None where nothing was read.
    """
    if not any(each in container.format.name for each in _FORMATS):
        return None
    try:
        first = next(container.decode(stream), None)
    except FFmpegError:
        return 0  # Whoever reads on will hear of it.
    return 0 if first is None else round(first.rotation / 90) * 90 % 360
