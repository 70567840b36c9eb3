"""Which parameters each stage depends on, and which of them have changed since the stage ran.

DVC compares the parameters of a stage with `data/params.yaml`, which follows `params.yaml` only when the stage `settings` runs. So the changes are foreseen
here, from `params.yaml` as it stands.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.dvc.stage_graph import PIPELINE
from flows.project.errors import DvcFailed, UnknownStage
from tasks.project.dvc_lock import LOCK
from tasks.project.paths import CODE, SETTINGS
from thaw.foundation.errors import BadParameters
from thaw.params.sections import Params
from thaw.params.values.listing import default_of
from thaw.params.values.reading import PARAMS, holds, leaves

_CODE = CODE.as_posix()
_SETTINGS = SETTINGS.as_posix()
_TAKEN = re.compile(r"\$\{([\w.]+)\}")
"""What `dvc.yaml` takes from `params.yaml`."""
DIGESTS = "code"
"""The stage that hands the digests of their code to all others. Only a project that holds Thaw's own code has it."""
HANDING = frozenset({DIGESTS, "settings"})
"""The stages that hand their code's digest and `params.yaml` to all others."""


def read_stage_keys(root: Path) -> dict[str, tuple[str, ...]]:
    """The keys of each stage in `dvc.yaml`; a section stands for all of its keys.

    Raises:
        DvcFailed: `dvc.yaml` is no YAML.
    """
    return {name: _keys(stage) for name, stage in _stages(root / PIPELINE).items()}


def stage_names(root: Path) -> tuple[str, ...]:
    """The stages of `dvc.yaml`, in its order; none if there is no such file."""
    return tuple(_stages(root / PIPELINE))


def refuse_unknown(root: Path, *names: str | None) -> None:
    """Check names of stages against `dvc.yaml` itself, without DVC, which may be at work for hours.

    Raises:
        UnknownStage: there is no stage of that name; the error lists the stages.
    """
    stages = stage_names(root)
    for name in names:
        if name is not None and name not in stages:
            raise UnknownStage(f"there is no stage `{name}` in dvc.yaml; the stages are: {', '.join(stages) or 'none'}")


def taken(root: Path) -> frozenset[str]:
    """The keys that `dvc.yaml` takes from `params.yaml`."""
    return frozenset(_TAKEN.findall((root / PIPELINE).read_text(encoding="utf-8")))


def refuse_unnamed(root: Path) -> None:
    """Check that `params.yaml` itself names what `dvc.yaml` takes from it; DVC does not know the defaults.

    Raises:
        BadParameters: a key is left out.
    """
    document = YAML(typ="safe").load((root / PARAMS).read_text(encoding="utf-8"))
    used = taken(root)
    unnamed = {key: default_of(field) for key, field in leaves(Params) if key in used and not holds(document, key)}
    if unnamed:
        commands = " ".join(f"{key}={default}" for key, default in unnamed.items())
        raise BadParameters(
            f"{PARAMS} does not name {' and '.join(unnamed)}, which DVC reads there; `thaw config set {commands}` adds the default"
        )


def stages_of(keys: Mapping[str, tuple[str, ...]], parameter: str) -> tuple[str, ...]:
    """The stages that depend on the parameter, by what `read_stage_keys` gives."""
    return tuple(name for name, own in keys.items() if any(_below(parameter, key) for key in own))


def ran(root: Path) -> frozenset[str]:
    """The stages that have run at least once here, or in the clone's history: `dvc.lock` records them."""
    return frozenset(_stages(root / LOCK))


def changed_keys(root: Path, params: Params) -> dict[str, tuple[str, ...]]:
    """The parameters of each stage that differ from those that it ran with. A stage that never ran has none."""
    now = dict(_leaves(params.model_dump(mode="json")))
    changed = {}
    for name, stage in _stages(root / LOCK).items():
        then = dict(_leaves(stage.get("params", {}).get(_SETTINGS) or {}))
        changed[name] = tuple(key for key in then if key not in now or now[key] != then[key])
    return changed


def changed_code(root: Path) -> frozenset[str]:
    """The stages whose code is not what they ran with. A stage that never ran is none of them."""
    from tasks.project.code_digests import code_digests

    then = {name: stage.get("params", {}).get(_CODE) or {} for name, stage in _stages(root / LOCK).items()}
    depending = {name: key for name, key in _code_keys(root).items() if name in then}
    now = code_digests(depending.values()) if depending else {}
    return frozenset(name for name, key in depending.items() if then[name].get(key) != now[key])


def digested(root: Path) -> tuple[str, ...]:
    """The names in `data/code.yaml` that stages of `dvc.yaml` depend on."""
    return tuple(_code_keys(root).values())


def _code_keys(root: Path) -> dict[str, str]:
    """The name in `data/code.yaml` that each stage depends on, by stage."""
    return {name: keys[0] for name, stage in _stages(root / PIPELINE).items() if (keys := _keys(stage, _CODE))}


def _stages(path: Path) -> dict[str, Any]:
    try:
        return dict((YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}).get("stages") or {})
    except FileNotFoundError:
        return {}
    except (OSError, YAMLError, AttributeError) as error:
        raise DvcFailed(f"{path.name} cannot be read: {error}") from error


def _keys(stage: Mapping[str, Any], file: str = _SETTINGS) -> tuple[str, ...]:
    files = [entry for entry in stage.get("params", ()) if isinstance(entry, dict)]
    return tuple(key for entry in files for key in entry.get(file) or ())


def _below(parameter: str, key: str) -> bool:
    return parameter == key or parameter.startswith(f"{key}.")


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Every value with its whole key; a mapping is a section."""
    pairs: list[tuple[str, object]] = []
    for key, value in values.items():
        pairs += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return pairs
