"""The names by which a person calls a version: a number, an alias, an MLflow address, or no name for the champion."""

import re
from dataclasses import dataclass, replace

from tasks.registry.registry import CHAMPION, ModelVersion, Registry
from thaw.foundation.errors import RegistryError

_ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(/(?P<number>\d+)|@(?P<alias>[^/@]+))")


@dataclass(frozen=True)
class Called:
    """The parsed name of a version. name: of the model; None: the project's model. number or alias: of the version."""

    name: str | None
    number: int | None = None
    alias: str = CHAMPION


def parse_called(text: str | None) -> Called:
    """Parse `3`, `champion`, `@champion`, `models:/NAME/3` or `models:/NAME@champion`; None is the champion.

    Raises:
        RegistryError: the text is an address of another kind.
    """
    if text is None:
        return Called(None)
    if text.isdecimal():
        return Called(None, int(text))
    if (match := _ADDRESS.fullmatch(text)) is not None:
        number, alias = match["number"], match["alias"]
        return Called(match["name"], int(number)) if number else Called(match["name"], alias=alias)
    if ":" in text or "/" in text:
        raise RegistryError(
            f"`{text}` names no version; give models:/NAME/3, models:/NAME@champion, a number or an alias"
        )
    return Called(None, alias=text.removeprefix("@"))


def find_version(registry: Registry, text: str | None) -> tuple[Registry, ModelVersion]:
    """The version of a name, and the registered model that it belongs to.

    Raises:
        RegistryError: there is no such version.
    """
    called = parse_called(text)
    model = registry if called.name is None else replace(registry, name=called.name)
    if called.number is not None:
        return model, model.version(called.number)
    version = model.by_alias(called.alias)
    if version is None:
        raise RegistryError(
            f"{model.name} has no version with the alias `{called.alias}`; `thaw models` lists the versions"
        )
    return model, version
