"""Builds the reference server from a checkout of go-livepeer: `python build.py CHECKOUT PROGRAM`.

Nothing is written into the checkout, and nothing is downloaded: its trickle package needs Go's standard library alone.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("main.go")


def build(checkout: Path, program: Path) -> None:
    """Build `main.go` as if it lay in the checkout, whose trickle package it imports."""
    placed = checkout / "cmd" / "trickle_reference" / "main.go"
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "overlay.json"
        overlay.write_text(json.dumps({"Replace": {str(placed): str(SOURCE)}}), encoding="utf-8")
        command = ["go", "build", "-buildvcs=false", "-overlay", overlay, "-o", program, "./cmd/trickle_reference"]
        subprocess.run(command, cwd=checkout, check=True)


if __name__ == "__main__":
    build(*(Path(argument).resolve() for argument in sys.argv[1:3]))
