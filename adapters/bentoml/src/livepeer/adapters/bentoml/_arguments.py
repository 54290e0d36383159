"""How BentoML calls an api with what it has parsed."""

from typing import Any

from pydantic import BaseModel

from . import _sdk


def arguments_of(method: Any, parsed: BaseModel) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an api but its context.

    Args:
        method: The api.
        parsed: An instance of its `input_spec`.
    """
    if getattr(method.input_spec, "__root_input__", False):
        return ((parsed.root if isinstance(parsed, _sdk.IORootModel) else parsed,), {})  # pyright: ignore
    named = {name: getattr(parsed, name) for name in type(parsed).model_fields}
    # As BentoML has it: `*args` gets the list in one piece.
    positional = (named.pop(_sdk.ARGS),) if _sdk.ARGS in named else ()
    named |= named.pop(_sdk.KWARGS, {})
    return positional, named
