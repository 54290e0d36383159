"""Calls `cog-chart` through a gateway, and writes chart.svg: `livepeer dev examples/cog_chart` runs one."""

import base64
import os
from pathlib import Path

from livepeer.client import Gateway

GATEWAY_URL = os.environ.get("LIVEPEER_GATEWAY_URL", "http://127.0.0.1:9935")
TABLE = "Monday,12\nTuesday,30\nWednesday,21\n"

with Gateway(gateway_url=GATEWAY_URL) as gateway:
    table = "data:text/csv;base64," + base64.b64encode(TABLE.encode()).decode()
    chart = gateway.run("cog-chart", {"table": table, "title": "Visitors"})
    Path("chart.svg").write_bytes(base64.b64decode(chart.partition(",")[2]))
    print("chart.svg")
