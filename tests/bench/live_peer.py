"""livepeer-gateway's MediaOutput and MediaPublish as a pipeline that changes nothing.

python live_peer.py IN OUT
"""

import asyncio
import sys

from trickle_clients import module

MediaOutput = module("livepeer_gateway", "media_output").MediaOutput
PUBLISH = module("livepeer_gateway", "media_publish")


async def main(source: str, sink: str) -> None:
    """Pass frames on until the input ends."""
    tracks = [PUBLISH.VideoOutputConfig(fps=30, keyframe_interval_s=1.0), PUBLISH.AudioOutputConfig()]
    publish = PUBLISH.MediaPublish(sink, config=PUBLISH.MediaPublishConfig(tracks=tracks))
    output = MediaOutput(source, start_seq=0)
    print("ready", flush=True)
    async for frame in output.frames():
        await publish.write_frame(frame.frame)
    await publish.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
