"""Media at the gateway as MPEG-TS over HTTP: devnet's own, in the place of WebRTC and RTMP."""

from collections.abc import Callable, Mapping
from contextlib import aclosing

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from livepeer.trickle.media import Segmenter

from ._gateway_stream import GatewayStream
from ._inbound import RefusedError, Reply, stream_body
from ._stream_channels import VIDEO
from ._ts_input import SEGMENT_SECONDS, InputEndedError, InputParts


class InputEndpoint:
    """Takes a body of any length for the input of a stream; its end is the input's end.

    Args:
        find: Returns the stream of a path; raises RefusedError if there is none.
    """

    def __init__(self, find: Callable[[Mapping[str, str]], GatewayStream]) -> None:
        self._find = find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, once the whole body has gone to the orchestrator, or nobody takes it any more."""
        reply = Reply(send)
        reply.headers["Connection"] = "close"  # Whoever is refused stops sending.
        try:
            parts = self._parts(scope)
        except RefusedError as error:
            await reply.error(str(error), error.status)
            return
        try:
            await _feed(parts, receive)
        except ClientDisconnect:
            return
        except InputEndedError:
            await reply.error("the stream has ended", 410)
            return
        finally:
            parts.end()
        await reply.end()

    def _parts(self, scope: Scope) -> InputParts:
        stream = self._find(scope["path_params"])
        if not stream.wanted.input:
            raise RefusedError("the stream has no input: enable_video_ingress was not set", 400)
        parts = stream.ends.input
        if parts.is_taken:
            raise RefusedError("somebody sends the input of this stream already", 409)
        parts.is_taken = True
        return parts


async def send_output(stream: GatewayStream, reply: Reply) -> None:
    """Answer with a stream's output as it comes, from the newest segment on, until the stream ends.

    Raises:
        RefusedError: It has none.
    """
    if not stream.wanted.output:
        raise RefusedError("the stream has no output: enable_video_egress was not set", 400)
    reply.headers["Content-Type"] = VIDEO
    output = stream.ends.output
    reader = output.reader()
    try:
        while data := await reader.take():
            await reply.write(data)
    finally:
        output.drop(reader)
    await reply.end()


async def _feed(parts: InputParts, receive: Receive) -> None:
    segmenter = Segmenter(seconds=SEGMENT_SECONDS)
    async with aclosing(stream_body(receive)) as chunks:
        async for chunk in chunks:
            for cut in segmenter.feed(chunk):
                await parts.put(cut)
    for cut in segmenter.finish():
        await parts.put(cut)
