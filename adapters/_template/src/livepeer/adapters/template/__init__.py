"""A minimal adapter, to copy."""

from ._adapter import TemplateAdapter
from ._capability import HandlerCapability

__all__ = ["HandlerCapability", "TemplateAdapter"]
