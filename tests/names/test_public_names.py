"""What the packages export, and who may use it."""

import importlib
from types import ModuleType

from .house import EVERY_DISTRIBUTION, Distribution, imported_names


def public_modules(distribution: Distribution) -> list[ModuleType]:
    """The public modules; all but the packages' own are public only if they have an `__all__`."""
    modules = [importlib.import_module(name) for name in distribution.public_modules]
    return [module for module in modules if hasattr(module, "__all__") or module.__name__ in distribution.packages]


def sort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: ruff's order."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_exported_names_are_sorted_and_resolve(distribution: Distribution) -> None:
    for module in public_modules(distribution):
        assert module.__all__ == sorted(set(module.__all__), key=sort_key)
        assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_every_public_name_of_a_package_is_exported(distribution: Distribution) -> None:
    for module in public_modules(distribution):
        defined = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "").startswith("livepeer.")
        }
        assert defined <= set(module.__all__)


def test_a_private_module_is_imported_by_its_own_distribution_only(distribution: Distribution) -> None:
    others = tuple(f"{name}." for each in EVERY_DISTRIBUTION if each != distribution for name in each.packages)
    strays = [
        f"{source.name}: {name}"
        for source in distribution.sources
        for name in imported_names(source)
        if name.startswith(others) and any(part.startswith("_") for part in name.split("."))
    ]
    assert strays == []
