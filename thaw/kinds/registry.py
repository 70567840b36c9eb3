"""Kinds by name. Only the room of the requested kind is imported."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import ANY, Kind, Preprocessing, Words

UNSTATED = "images"
"""The kind of a file that states none; files from before the choice of kinds state none."""
_ROOMS: Mapping[str, str] = {
    UNSTATED: "thaw.kinds.images.kind",
    "texts": "thaw.kinds.texts.kind",
    "sounds": "thaw.kinds.sounds.kind",
}
"""Modules with the object `KIND`."""
GROUP = "thaw.kinds"
"""The group of entry points by which other packages add kinds, `NAME = MODULE:KIND`."""


def kind_names() -> tuple[str, ...]:
    """Every name that `kind_named` knows; nothing is imported."""
    return tuple(dict.fromkeys((*_ROOMS, *(sorted(_brought())))))


@cache
def kind_named(name: str) -> Kind:
    """The kind of that name.

    Raises:
        BadParameters: there is no such kind; the message names the existing kinds.
    """
    if name in _ROOMS:
        room: Kind = import_module(_ROOMS[name]).KIND
        return room
    if name in _brought():
        brought: Kind = _brought()[name].load()
        return brought
    raise BadParameters(f"dataset.kind: `{name}` is no kind of examples; there are {', '.join(kind_names())}")


def words_of(name: str) -> Words:
    """The words for examples of the kind of that name; `ANY` if that kind is not installed here."""
    return kind_named(name).words if name in kind_names() else ANY


def requirement_of(name: str) -> str | None:
    """The package that brings a kind, with its version in pip's form; None: Thaw itself has the kind."""
    package = None if name in _ROOMS else _brought()[name].dist
    return None if package is None else f"{package.name}=={package.version}"


def preprocessing_from_json(text: str) -> Preprocessing:
    """A preprocessing of any kind, as its `to_json` wrote it; unknown or missing keys raise TypeError or KeyError.

    Raises:
        BadParameters: there is no such kind here.
    """
    return kind_named(kind_in(text)).preprocessing_from_json(text)


def kind_in(text: str) -> str:
    """The name of the kind in a preprocessing's JSON."""
    values = json.loads(text)
    return str(values.get("kind", UNSTATED)) if isinstance(values, dict) else UNSTATED


@cache
def _brought() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
