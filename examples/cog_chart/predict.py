"""Draws a bar chart: a model written for Cog, as Cog runs it."""

import csv
import tempfile
from html import escape

from cog import BasePredictor, Input, Path

COLOURS = {"ink": "#222222", "sea": "#1f6f8b"}
ROW = '<text x="0" y="{y}">{name}</text><rect x="100" y="{top}" width="{width:.0f}" height="18" fill="{fill}"/>'
CHART = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">{inside}</svg>'
)


class Predictor(BasePredictor):
    """Draws a bar chart of a table."""

    def setup(self) -> None:
        """Say where the chart goes: with Cog, one prediction runs at a time."""
        self.chart = Path(tempfile.gettempdir()) / "cog-chart.svg"

    def predict(
        self,
        table: Path = Input(description="CSV with a name and a number in each row"),
        title: str = Input(default="", description="What stands above the bars", max_length=80),
        colour: str = Input(default="sea", choices=["ink", "sea"]),
        width: int = Input(default=480, ge=120, le=1920, description="In pixels"),
    ) -> Path:
        """Draw a bar a row, as SVG."""
        with table.open(newline="") as file:
            rows = [(name, float(value)) for name, value in csv.reader(file)]
        print(f"{len(rows)} rows")
        scale = (width - 100) / max((value for _, value in rows), default=1)
        inside = f'<text x="0" y="18" font-weight="bold">{escape(title)}</text>'
        for row, (name, value) in enumerate(rows):
            top = 30 + 24 * row
            inside += ROW.format(y=top + 14, name=escape(name), top=top, width=scale * value, fill=COLOURS[colour])
        self.chart.write_text(CHART.format(width=width, height=40 + 24 * len(rows), inside=inside))
        return self.chart
