"""The whole thing in one script: a local network, two models on it, a call and a streamed call.

    python examples/quickstart.py

Each model is served by a process of its own, registers with the network's orchestrator as it would with a real one,
and is called through the network's gateway.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet

EXAMPLES = Path(__file__).parent
REGISTRATION_SECONDS = 30
HELLO = {"text": "Hello, Livepeer!"}
CHAT = {"prompt": "One day a traveller", "max_tokens": 40, "seed": 4}


def main() -> None:
    """Run the network, serve, call, and end it all."""
    say("1. A network on this machine: an orchestrator, and a gateway in front of it.")
    with BlockingDevNet() as net, Gateway(gateway_url=net.gateway_url) as gateway:
        print(f"   gateway {net.gateway_url}, orchestrator {net.orchestrator_url}")

        say("2. Two models, each in a process of its own, register with the orchestrator.")
        with served("hello_world", net), served("llm_chat", net):
            for name in ("hello-world", "llm-chat"):
                capability = net.wait_for(name, timeout_seconds=REGISTRATION_SECONDS)
                print(f"   {name} at {capability.url}")

            say("3. A call through the gateway.")
            print(f"   hello-world, {HELLO} -> {gateway.run('hello-world', HELLO)}")

            say("4. A streamed call: each word is printed as it comes.")
            print(f"   {CHAT['prompt']}", end="", flush=True)
            with gateway.stream("llm-chat", CHAT) as events:
                for event in events:
                    print(event.json(), end="", flush=True)
            print()

    say("Done: the models have left the network, and nothing is left running.")


@contextmanager
def served(example: str, net: BlockingDevNet) -> Generator[None]:
    """Serve an example on a free port of this machine, registered with the network's orchestrator."""
    server = subprocess.Popen(
        [sys.executable, "-m", "livepeer.server", str(EXAMPLES / example), "--host", "127.0.0.1", "--port", "0"],
        env={**os.environ, "ORCH_URL": net.orchestrator_url, "ORCH_TOKEN": net.secret},
    )
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def say(text: str) -> None:
    """Print a step."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
