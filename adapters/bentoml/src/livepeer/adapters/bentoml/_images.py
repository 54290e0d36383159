"""`bentoml.images.Image`, and the image of a built bento, which is one, frozen."""

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from livepeer.core import requirement_lines

from ._bentofile import ImageSection
from ._translation import Translation

_DEBIAN_BASE = re.compile(r"python:([\d.]+)-slim")
"""What BentoML builds on for `distro="debian"`."""

_DEBIAN_BEGINNING = re.compile(r"apt-get update && apt-get install .*--no-install-recommends .*ca-certificates .*git")
"""What BentoML itself begins with there."""

_DEBIAN_INSTALL = re.compile(r"apt-get install -q -y -o Dpkg::Options::=--force-confdef (.+)")
"""What `system_packages()` becomes there."""


def describe_image(image: Any) -> ImageSection:
    """What the chain of calls on a `bentoml.images.Image` has left in it."""
    return ImageSection(
        base_image=image.base_image,
        python_version=image.python_version,
        commands=image.commands,
        python_requirements=image.python_requirements,
        post_commands=image.post_commands,
        build_include=image.build_include_paths,
        scripts=image.scripts,
        lock_python_packages=image.lock_python_packages,
        pack_git_packages=image.pack_git_packages,
        uv_lock=image._uv_lock,
    )


def translate_image(image: ImageSection) -> Translation:
    """What an image says."""
    commands = [command for command in image.commands if not _DEBIAN_BEGINNING.fullmatch(command)]
    is_debian = _DEBIAN_BASE.fullmatch(image.base_image or "python:3-slim") is not None
    return Translation(
        python=image.python_version or None,
        python_packages=requirement_lines(image.python_requirements),
        system_packages=list(_packages_of(commands)),
        base_image=None if is_debian else image.base_image,
        unsupported=dict(_unsupported(image, [each for each in commands if not _DEBIAN_INSTALL.fullmatch(each)])),
    )


def _packages_of(commands: Iterable[str]) -> Iterator[str]:
    for command in commands:
        if match := _DEBIAN_INSTALL.fullmatch(command):
            yield from shlex.split(match[1])


def _unsupported(image: ImageSection, commands: list[str]) -> Iterator[tuple[str, Any]]:
    """What it does besides: commands before and after pip, its scripts, how it pins and what it packs."""
    if commands:
        yield "image.commands", commands
    for name in ("post_commands", "scripts", "build_include", "uv_lock"):
        if value := getattr(image, name):
            yield f"image.{name}", value
    # A lock of uv's own is why the packages are not locked.
    if not image.lock_python_packages and not image.uv_lock:
        yield "image.lock_python_packages", False
    if not image.pack_git_packages:
        yield "image.pack_git_packages", False
