import livepeer.client
from livepeer.client import LivepeerError


def test_every_exported_name_exists_and_the_names_are_sorted() -> None:
    assert sorted(livepeer.client.__all__) == livepeer.client.__all__
    assert all(hasattr(livepeer.client, name) for name in livepeer.client.__all__)


def test_every_public_name_is_exported() -> None:
    public = {name for name, value in vars(livepeer.client).items() if hasattr(value, "__module__") and name[0] != "_"}
    assert public == set(livepeer.client.__all__)


def test_every_error_has_a_code_of_its_own_and_says_when_it_is_raised() -> None:
    errors = [
        value
        for value in vars(livepeer.client).values()
        if isinstance(value, type) and issubclass(value, LivepeerError) and value is not LivepeerError
    ]
    assert len({error.code for error in errors}) == len(errors)
    assert all((error.__doc__ or "").startswith("Raised when ") for error in errors)
