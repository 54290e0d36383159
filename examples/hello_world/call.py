"""Calls `hello-world` through a gateway: `livepeer dev examples/hello_world` runs one."""

import os

from livepeer.client import Gateway

GATEWAY_URL = os.environ.get("LIVEPEER_GATEWAY_URL", "http://127.0.0.1:9935")

with Gateway(gateway_url=GATEWAY_URL) as gateway:
    print(gateway.run("hello-world", {"text": "Hello, Livepeer!"}))
