"""The GPUs of this machine, as the driver's own tool lists them."""

import csv
import subprocess
from typing import Any

import anyio

_FIELDS = ("index", "uuid", "name", "memory.total", "memory.free", "compute_cap")
_QUERY = ["nvidia-smi", f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits"]
_MIB = 1024 * 1024


async def gpus() -> dict[str, dict[str, Any]]:
    """By index: id, name, memory in bytes, compute capability. Empty where there is no NVIDIA driver."""
    try:
        result = await anyio.run_process(_QUERY, check=False, stderr=subprocess.DEVNULL)
    except OSError:
        return {}
    return {} if result.returncode else parse_gpus(result.stdout.decode())


def parse_gpus(listing: str) -> dict[str, dict[str, Any]]:
    """Read what the tool prints: a line of comma-separated values for each GPU."""
    found: dict[str, dict[str, Any]] = {}
    for index, uuid, name, total, free, capability in csv.reader(listing.splitlines(), skipinitialspace=True):
        major, _, minor = capability.partition(".")
        found[index] = {
            "id": uuid,
            "name": name,
            "memory_total": int(total) * _MIB,
            "memory_free": int(free) * _MIB,
            "major": int(major),
            "minor": int(minor or 0),
        }
    return found
