"""What there is to know of a parameter: its meaning, its value, where it is set, and which stages run when it changes."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.dvc.stage_graph import Stage, needed_for, read_stages
from flows.dvc.stage_parameters import read_stage_keys, stages_of
from thaw.foundation.errors import BadParameters
from thaw.params.sections import Params
from thaw.params.values.listing import Setting, list_settings
from thaw.params.values.reading import MOVED, PARAMS, leaves, read_params


@dataclass(frozen=True)
class Explanation:
    """A parameter and its surroundings."""

    setting: Setting
    line: int | None
    """The line of `params.yaml` that sets it, from 1; None: nothing sets it, and it has its default."""
    stages: tuple[str, ...]
    """The stages that depend on it."""
    then: tuple[str, ...]
    """The stages that read what those stages write, and run if it differs."""


def explain(root: Path, key: str) -> tuple[Explanation, ...]:
    """The parameter of that name; of a section, each of its parameters.

    Raises:
        BadParameters: there is no such parameter; the message names those of a similar name.
    """
    settings = [each for each in list_settings(read_params(root / PARAMS)) if is_below(each.key, key)]
    if not settings:
        raise BadParameters(unknown(key))
    document = YAML().load((root / PARAMS).read_text(encoding="utf-8"))
    keys, stages = read_stage_keys(root), read_stages(root)
    return tuple(_explained(each, document, stages_of(keys, each.key), stages) for each in settings)


def is_below(key: str, section: str) -> bool:
    """Whether the key is the section, or lies in it."""
    return key == section or key.startswith(f"{section}.")


def unknown(key: str) -> str:
    """A sentence about a key that does not exist."""
    if key in MOVED:
        return f"{key}: this is {MOVED[key]} now"
    near = get_close_matches(key, [name for name, _ in leaves(Params)], n=3)
    advice = f"did you mean {' or '.join(near)}?" if near else "`thaw config show --all` lists all keys"
    return f"{key}: no such key; {advice}"


def _explained(setting: Setting, document: Any, own: tuple[str, ...], stages: tuple[Stage, ...]) -> Explanation:
    below = {each.name for each in stages if {*own} & {above.name for above in needed_for(stages, each.name)}}
    then = tuple(each.name for each in stages if each.name in below - {*own})
    return Explanation(setting, line_of(document, setting.key), own, then)


def line_of(document: Any, key: str) -> int | None:
    """The line on which a document sets a key, from 1; `document` is what ruamel's round trip reads."""
    *sections, name = key.split(".")
    for section in sections:
        document = document.get(section) if isinstance(document, dict) else None
    if not isinstance(document, dict) or name not in document:
        return None
    line, _ = document.lc.key(name)  # type: ignore[attr-defined]
    return int(line) + 1
