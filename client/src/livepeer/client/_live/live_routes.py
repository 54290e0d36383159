"""What every way to a live stream offers."""

from typing import Any, Protocol

from livepeer.client._exchange import Exchange
from livepeer.client._routes import Route

from .orders import Channels, GatewayDoors, Order


class LiveRoute(Route, Protocol):
    """One way to a live stream; `end` stops the stream."""

    def start(self, order: Order) -> Exchange[Channels | GatewayDoors]:
        """Have the worker start, and say where the stream is."""
        ...

    def update(self, params: str) -> Exchange[Any]:
        """Give the worker other params, as JSON, and return what it answers."""
        ...
