import pytest

import livepeer.trickle
from livepeer.trickle import TrickleError

ERRORS = [
    value
    for value in vars(livepeer.trickle).values()
    if isinstance(value, type) and issubclass(value, TrickleError) and value is not TrickleError
]


def test_every_exported_name_exists_and_the_names_are_sorted():
    assert livepeer.trickle.__all__ == sorted(livepeer.trickle.__all__)
    assert all(hasattr(livepeer.trickle, name) for name in livepeer.trickle.__all__)


def test_every_error_has_a_code_of_its_own_and_is_in_the_tree():
    assert len({error.code for error in ERRORS}) == len(ERRORS)
    tree = livepeer.trickle._errors.__doc__ or ""
    assert all(f" {error.__name__} " in tree for error in ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_says_when_it_is_raised(error: type[TrickleError]):
    assert (error.__doc__ or "").startswith("Raised when ")
