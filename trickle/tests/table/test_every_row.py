"""The table has 39 rows."""

import re
from pathlib import Path

ROWS = 39


def test_every_row_has_a_test() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    rows = {int(row) for source in sources for row in re.findall(r"^def test_row_(\d\d)_", source, re.MULTILINE)}
    assert rows == set(range(1, ROWS + 1))
