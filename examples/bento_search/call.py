"""Calls `bento-search` through a gateway: `livepeer dev examples/bento_search` runs one."""

import os

from livepeer.client import Gateway

GATEWAY_URL = os.environ.get("LIVEPEER_GATEWAY_URL", "http://127.0.0.1:9935")
TEXTS = ["A kettle of tea", "The harbour at night", "Harbours of the north", "Three kettles"]

with Gateway(gateway_url=GATEWAY_URL) as gateway:
    found = gateway.run("bento-search", {"question": "which harbour?", "texts": TEXTS, "most": 2})
    for match in found["matches"]:
        print(f"{match['score']:.2f}  {match['text']}")
