"""The stages that the next run will run, and why, before `code` and `settings` have handed the present code and `params.yaml` to the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.dvc.stage_graph import Pipeline, Stage, StageState, parse_state
from flows.dvc.stage_parameters import HANDING, changed_code, changed_keys, ran
from tasks.project.paths import CODE, SETTINGS
from thaw.params.sections import Params

NEVER_RAN = "it has not run yet"
_HANDED = (CODE.as_posix(), SETTINGS.as_posix())


@dataclass(frozen=True)
class Unhanded:
    """What has changed and was not handed on yet. keys: of parameters, by stage. code: the stages with other code."""

    keys: Mapping[str, tuple[str, ...]]
    code: frozenset[str]


def unhanded(root: Path, params: Params) -> Unhanded:
    """What `code` and `settings` will hand on. DVC is not asked."""
    return Unhanded(changed_keys(root, params), changed_code(root))


def foresee_states(root: Path, pipeline: Pipeline, changed: Unhanded) -> dict[str, StageState]:
    """The stages that will run on their own account, by name."""
    states = as_of_today(pipeline.changes, changed.keys, changed.code)
    known = ran(root)
    return {name: state if name in known else replace(state, reasons=(NEVER_RAN,)) for name, state in states.items()}


def as_of_today(
    answer: Mapping[str, Sequence[Any]], changed: Mapping[str, tuple[str, ...]], code: Collection[str]
) -> dict[str, StageState]:
    """The states of `dvc status`, with the present parameters and code in the place of what was handed on by the last run.

    Args:
        answer: the changes of each stage by name, as `dvc status --json` tells them.
        changed: the parameters of each stage that have changed.
        code: the stages whose code has changed.
    """
    changes_by_stage = {name: [*map(_without_handed, changes)] for name, changes in answer.items()}
    for name in {**changed, **dict.fromkeys(code)}:
        keys = [*changed.get(name, ()), *(["its code"] if name in code else [])]
        if keys:
            today = {"changed deps": {"": dict.fromkeys(keys, "modified")}}
            changes_by_stage[name] = [today, *changes_by_stage.get(name, [])]
    return {
        name: parse_state(name, kept)
        for name, changes in changes_by_stage.items()
        if (kept := [*filter(None, changes)])
    }


def _without_handed(change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    kept = {kind: {**details} for kind, details in change.items()}
    for path in _HANDED:
        kept.get("changed deps", {}).pop(path, None)
    return {kind: details for kind, details in kept.items() if details}


def without_handing(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages as they wait for each other once it is known what `code` and `settings` will write."""
    return tuple(
        replace(each, upstream=tuple(name for name in each.upstream if name not in HANDING)) for each in stages
    )
