"""Every parameter with its value, its default and its meaning, and a list of those that people change most."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from thaw.params.sections import Params
from thaw.params.values.reading import leaves

USUAL = (
    "dataset.source",
    "dataset.listing",
    "dataset.splits.val",
    "dataset.splits.test",
    "dataset.labels_per_class",
    "backbone.weights",
    "backbone.layers",
    "backbone.pooling",
    "extract.engine",
    "extract.store",
    "extract.precision",
    "extract.device",
    "strategy.kind",
    "strategy.layer",
    "strategy.minutes",
    "head.class_weights",
    "openness.score",
    "openness.background",
    "finetune.augment",
    "compare.strategies",
    "evaluate.baselines",
    "registry.name",
    "promotion.automatic",
    "promotion.rule",
    "promotion.margin",
)
"""The parameters that `thaw config show` shows even if they have their defaults."""


@dataclass(frozen=True)
class Setting:
    """One parameter."""

    key: str
    value: object
    default: object
    description: str
    choices: tuple[str, ...]
    """The allowed values if they are a closed set, else empty."""

    @property
    def changed(self) -> bool:
        """Whether it differs from the default."""
        return self.value != self.default

    @property
    def brief(self) -> str:
        """The first clause of the description."""
        return re.split(r"[;:] ", self.description)[0]


def list_settings(params: Params) -> tuple[Setting, ...]:
    """Every parameter, in the order of the models."""
    return tuple(_settings(params))


def _settings(params: Params) -> Iterator[Setting]:
    for key, field in leaves(Params):
        value = reduce(getattr, key.split("."), params)
        yield Setting(key, _plain(value), default_of(field), field.description or "", choices_of(field.annotation))


def changes(params: Params) -> str:
    """A line `key: value` for each parameter that differs from its default."""
    return "\n".join(f"{setting.key}: {setting.value}" for setting in list_settings(params) if setting.changed)


def default_of(field: FieldInfo) -> object:
    """The default of a parameter as YAML holds it."""
    return _plain(field.get_default(call_default_factory=False))


def choices_of(annotation: Any) -> tuple[str, ...]:
    """The closed set of values that a type allows; empty if the set is open."""
    if get_origin(annotation) is Literal:
        return tuple(str(choice) for choice in get_args(annotation))
    return tuple(choice for inner in get_args(annotation) for choice in choices_of(inner))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
