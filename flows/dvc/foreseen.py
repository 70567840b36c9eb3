"""The stages that the next run will run, and why, before the stage `settings` has handed `params.yaml` to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.dvc.stage_graph import Pipeline, Stage, StageState, parse_state
from flows.dvc.stage_parameters import STAGE, changed_keys, ran
from tasks.project.paths import SETTINGS
from thaw.params.sections import Params

NEVER_RAN = "it has not run yet"


def foresee_states(root: Path, pipeline: Pipeline, params: Params) -> dict[str, StageState]:
    """The stages that will run on their own account, by name."""
    states = with_parameters(pipeline.changes, changed_keys(root, params))
    known = ran(root)
    return {name: state if name in known else replace(state, reasons=(NEVER_RAN,)) for name, state in states.items()}


def with_parameters(
    answer: Mapping[str, Sequence[Any]], changed: Mapping[str, tuple[str, ...]]
) -> dict[str, StageState]:
    """The states of `dvc status`, with the present parameters in the place of those in `data/params.yaml`."""
    changes_by_stage = {name: [*map(_without_settings, changes)] for name, changes in answer.items()}
    for name, keys in changed.items():
        if keys:
            parameters = {"changed deps": {SETTINGS.as_posix(): dict.fromkeys(keys, "modified")}}
            changes_by_stage[name] = [parameters, *changes_by_stage.get(name, [])]
    return {
        name: parse_state(name, kept)
        for name, changes in changes_by_stage.items()
        if (kept := [*filter(None, changes)])
    }


def _without_settings(change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    kept = {kind: {**details} for kind, details in change.items()}
    kept.get("changed deps", {}).pop(SETTINGS.as_posix(), None)
    return {kind: details for kind, details in kept.items() if details}


def without_settings(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages as they wait for each other once it is known what the stage `settings` will write."""
    return tuple(replace(each, upstream=tuple(name for name in each.upstream if name != STAGE)) for each in stages)
