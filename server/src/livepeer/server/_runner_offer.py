"""What is offered to a Live Runner orchestrator (contract, sections 7 and 9)."""

from typing import Any

from livepeer.core import Description

from ._card import Card
from ._options import RegistrationOptions
from ._runners import PriceInfo, Runner, StaticRunner


def runner_offer(
    description: Description, options: RegistrationOptions, *, deadline_seconds: float | None = None
) -> tuple[Runner, tuple[str, ...]]:
    """Describe a capability as a runner.

    Args:
        description: What the host said.
        options: As what it is announced.
        deadline_seconds: How long a call may take.

    Returns:
        The runner, and the names of the fields that its card goes without for want of room.
    """
    name = options.capability_name or description.info.name
    url = options.capability_url.rstrip("/")
    card, dropped = Card.of(
        description,
        name=name,
        schema_url=options.schema_url or f"{url}/schema",
        text=options.capability_description,
        image=options.image,
        deadline_seconds=deadline_seconds,
    ).fitted()
    runner = Runner(
        label=name,
        runner_url=url,
        app=options.app or f"capability/{name}",
        version=description.info.version,
        metadata=card.metadata(),
        mode="persistent" if description.live is not None else options.runner_mode,
        capacity=options.capacity or description.capacity,
        price_info=_price_info(options),
    )
    return runner, dropped


def static_runners(
    description: Description, options: RegistrationOptions, *, deadline_seconds: float | None = None
) -> dict[str, Any]:
    """Write the `runners.json` with which an orchestrator's operator adds a capability that does not register itself.

    Args:
        description: What the host said.
        options: As what it is added.
        deadline_seconds: How long a call may take.
    """
    runner, _ = runner_offer(description, options, deadline_seconds=deadline_seconds)
    # The label goes into URLs, where a slash would begin another part.
    entry = StaticRunner.model_validate({**runner.model_dump(), "label": runner.label.replace("/", "-")})
    return {"runners": [entry.model_dump(mode="json", exclude_none=True)]}


def _price_info(options: RegistrationOptions) -> PriceInfo | None:
    price = options.price_usd
    return PriceInfo(price=format(price, "f"), unit=options.price_unit) if price else None
