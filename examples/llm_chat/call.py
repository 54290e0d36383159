"""Streams from `llm-chat` through a gateway: `livepeer dev examples/llm_chat` runs one."""

import os

from livepeer.client import Gateway

GATEWAY_URL = os.environ.get("LIVEPEER_GATEWAY_URL", "http://127.0.0.1:9935")

with (
    Gateway(gateway_url=GATEWAY_URL) as gateway,
    gateway.stream("llm-chat", {"prompt": "One day a traveller", "max_tokens": 40}) as events,
):
    for event in events:
        print(event.json(), end="", flush=True)
print()
