"""Sends a live stream back as it came: the smallest live capability there is."""

from livepeer.runner import LivePipeline, serve


class LivePassthrough(LivePipeline):
    """Relays a stream; nothing of it is decoded."""

    version = "1.0.0"


if __name__ == "__main__":
    serve(LivePassthrough)
