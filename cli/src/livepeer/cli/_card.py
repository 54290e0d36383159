"""`livepeer card`: what a dashboard would show of a target."""

import json
import sys
from typing import Any

from pydantic import BaseModel
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from livepeer.core import Description
from livepeer.server import RegistrationOptions, runner_offer

from ._describing import described, registration_options
from ._form import Field, OutputType, form_fields, output_type


class CapabilityCard(BaseModel):
    """What a dashboard can show of a capability before it is called."""

    app: str
    version: str
    mode: str
    capacity: int
    price: str | None = None
    metadata: dict[str, Any]
    """The discovery card as the network carries it."""

    metadata_bytes: int
    dropped: list[str]
    """What the discovery card goes without for want of room."""

    fields: list[Field]
    streams: bool
    output: OutputType


def card(
    target: str,
    *,
    as_json: bool,
    app: str | None,
    image: str | None,
    capability_url: str | None,
    python: str | None,
    adapter: str | None,
) -> None:
    """Import a target and print its card; nothing is set up, and no port is opened.

    Args:
        target: What to describe.
        as_json: Whether to print JSON instead of a picture.
        app: Its ``org/name``; None for the environment's.
        image: Its container image; None for the environment's.
        capability_url: Where it will be reached; None for the environment's.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        UsageError: If a setting does not fit.
        CommandError: If the target cannot be imported.
    """
    options = registration_options(app=app, image=image, capability_url=capability_url)
    found = make_card(described(target, python=python, adapter=adapter), options)
    if as_json:
        sys.stdout.write(f"{found.model_dump_json(exclude_none=True)}\n")
        return
    Console().print(picture(found))


def make_card(description: Description, options: RegistrationOptions) -> CapabilityCard:
    """Describe a capability for people.

    Args:
        description: What the host said.
        options: As what it is announced.
    """
    runner, dropped = runner_offer(description, options)
    operation = description.operations[0] if description.operations else None
    live = description.live
    price = runner.price_info
    return CapabilityCard(
        app=runner.app,
        version=runner.version,
        mode=runner.mode,
        capacity=runner.capacity,
        price=None if price is None else f"{price.price} {price.currency} / {price.unit}",
        metadata=json.loads(runner.metadata),
        metadata_bytes=len(runner.metadata.encode()),
        dropped=list(dropped),
        fields=form_fields(live.params_schema if live is not None else operation.input_schema if operation else {}),
        streams=operation is not None and operation.streams,
        output="video" if operation is None else output_type(operation),
    )


def picture(found: CapabilityCard) -> RenderableType:
    """Draw a card for a terminal."""
    metadata = found.metadata
    title = Text.assemble((metadata.get("name", found.app), "bold"), f" {found.version}")
    parts: list[RenderableType] = [Text(metadata.get("description", ""), style="italic"), Text()]
    parts += [_form(found.fields), Text()] if found.fields else [Text("takes no fields", style="dim"), Text()]
    parts.append(_facts(found))
    return Panel(Group(*parts), title=title, subtitle=Text(found.app, style="dim"), title_align="left", width=100)


def _form(fields: list[Field]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("field", "control", "value", ""):
        table.add_column(heading)
    for field in fields:
        name = Text.assemble(field.name, ("*" if field.required else "", "red"))
        table.add_row(
            name, Text(field.type, style="cyan"), Text(_value(field)), Text(field.description or "", style="dim")
        )
    return table


def _value(field: Field) -> str:
    parts: list[str] = []
    if field.options is not None:
        parts.append(" | ".join(_written(option) for option in field.options))
    if field.minimum is not None or field.maximum is not None:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (field.minimum, field.maximum))
        parts.append(f"{low}..{high}")
    if field.default is not None:
        parts.append(f"= {_written(field.default)}")
    return "  ".join(parts)


def _facts(found: CapabilityCard) -> Table:
    metadata = found.metadata
    table = Table.grid(padding=(0, 2))
    rows = {
        "answer": f"{found.output}, piece by piece" if found.streams else found.output,
        "price": found.price or "none set",
        "capacity": f"{found.capacity} at once, {found.mode}",
        "image": metadata.get("image", "none set"),
        "schema": f"{metadata.get('schema_url', 'left out')}  sha256 {metadata.get('schema_sha256', '')[:12]}",
        "card": f"{found.metadata_bytes} of 1024 bytes"
        + (f", without {', '.join(found.dropped)}" if found.dropped else ""),
    }
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
