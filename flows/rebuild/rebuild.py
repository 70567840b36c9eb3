"""The rebuild of a version in a separate checkout: at its commit, from its original examples, by the stages themselves, with a comparison at the end.

The rebuild writes only to the checkout, not to the user's tree, DVC's cache or the registry.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.dvc.reproduce import Order, Reproductions, Result
from flows.dvc.stage_graph import needed_for, read_stages
from flows.project.errors import StageFailed
from flows.rebuild.checkout import check_out
from flows.rebuild.rebuild_inputs import Place, Supply, bring, look_for
from flows.runs.watcher import Watcher
from tasks.lineage.reproduction import (
    Recipe,
    code_differences,
    compare_rebuilt,
    equal_outputs,
    package_differences,
    rebuilt_manifest,
)
from tasks.project.dvc_lock import LOCK, parse_lock
from tasks.registry.mlflow_store import STATE
from thaw.foundation.errors import NotReproducible
from thaw.lineage.agreement import Agreement, ManifestDifference, compare_manifests
from thaw.lineage.surroundings import this_machine

LAST_STAGE = "evaluate"
"""The last stage of a rebuild; the stages after it would only register."""
_LISTED_AT_MOST = 5


@dataclass(frozen=True)
class Plan:
    """The plan of a rebuild."""

    commit: str
    supplies: tuple[Supply, ...]
    packages: tuple[str, ...]
    """The packages that are installed in another version than at the time of the recorded version."""
    processors: tuple[str, str] | None
    """The recorded and the present processor; None if they are equal."""

    @property
    def possible(self) -> bool:
        return all(supply.complete for supply in self.supplies)


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild; `outputs` maps each output to whether it is the same byte for byte."""

    plan: Plan
    agreement: Agreement
    outputs: dict[str, bool]
    seconds: float


def plan(root: Path, recipe: Recipe, folder: Path) -> Plan:
    """Check the version out to `folder`, and check whether all its inputs are available.

    Raises:
        NotReproducible: the commit is missing, or its code differs from the code that made the version.
    """
    place = _check_out(root, recipe, folder)
    return _plan(recipe, look_for(recipe, place))


def rebuild(root: Path, recipe: Recipe, folder: Path, watcher: Watcher, tolerance: float) -> Rebuilt:
    """Check the version out to `folder`, copy its data, run its stages there, and compare the result with the version's run.

    Raises:
        NotReproducible: see `plan`; or examples are no longer available, or give another manifest.
        StageFailed: a stage failed.
    """
    started = time.monotonic()
    place = _check_out(root, recipe, folder)
    rebuild_plan = _plan(recipe, bring(recipe, place))
    _run(place.checkout, watcher, after={"ingest": lambda: _refuse_other_examples(recipe, place.checkout)})
    after = parse_lock((place.checkout / LOCK).read_text(encoding="utf-8"))
    return Rebuilt(
        plan=rebuild_plan,
        agreement=compare_rebuilt(recipe, place.checkout, tolerance),
        outputs=equal_outputs(recipe.lineage.stages, after),
        seconds=time.monotonic() - started,
    )


def _check_out(root: Path, recipe: Recipe, folder: Path) -> Place:
    checkout = check_out(root, recipe.commit, folder)
    if recipe.lock is not None:
        differing = code_differences(recipe.lineage.stages, checkout)
        if differing:
            raise NotReproducible(
                f"{recipe.version.uri} was made with other code or parameters than commit {recipe.commit[:12]} has: "
                f"{_listed(differing)}; name the right commit with --commit"
            )
        # DVC must pull the data of this version; the commit's own lock belongs to the version before.
        (checkout / LOCK).write_bytes(recipe.lock.read_bytes())
    return Place(root, checkout)


def _plan(recipe: Recipe, supplies: tuple[Supply, ...]) -> Plan:
    recorded_machine, processor = recipe.lineage.machine, this_machine().processor
    processors = (
        None
        if recorded_machine is None or recorded_machine.processor == processor
        else (recorded_machine.processor, processor)
    )
    return Plan(recipe.commit, supplies, package_differences(recipe.lineage), processors)


def _run(checkout: Path, watcher: Watcher, after: dict[str, Callable[[], None]]) -> None:
    """Run every stage, even if DVC knows its outputs; `after` maps the name of a stage to a check that follows the stage."""
    reproductions = Reproductions(checkout, _surroundings(checkout))
    for stage in needed_for(read_stages(checkout), LAST_STAGE):
        if stage.name.endswith(".dvc"):  # a data folder of DVC, not a stage
            continue
        watcher.starts(stage.name)
        result = reproductions.run(Order(stage.name, force=True), _line_handler(watcher, stage.name))
        watcher.ends(result)
        _refuse_failure(result)
        after.get(stage.name, lambda: None)()


def _line_handler(watcher: Watcher, stage: str) -> Callable[[str], None]:
    return lambda line: watcher.says(stage, line)


def _refuse_failure(result: Result) -> None:
    if not result.outcome.done:
        raise StageFailed(
            f"stage `{result.stage}` failed while rebuilding: {result.reason}; "
            "`thaw reproduce --keep FOLDER` keeps the checkout with its .thaw/logs"
        )


def _surroundings(checkout: Path) -> dict[str, str]:
    """Variables that select the checkout's own modules, and a separate MLflow store in case a stage uses MLflow."""
    store = f"sqlite:///{(checkout / STATE / 'mlflow.db').absolute()}"
    return {
        "PYTHONPATH": str(checkout),
        "MLFLOW_TRACKING_URI": store,
        "MLFLOW_REGISTRY_URI": store,
        "PWD": str(checkout),
    }


def _refuse_other_examples(recipe: Recipe, checkout: Path) -> None:
    """Compare the manifest with the recorded manifest, before hours of training."""
    difference = compare_manifests(recipe.manifest, rebuilt_manifest(checkout))
    if not difference.none:
        raise NotReproducible(
            f"the examples that were found are not those of {recipe.version.uri}: {_say(difference)}; bring back the original examples"
        )


def _say(difference: ManifestDifference) -> str:
    kinds = (
        ("gone", difference.gone),
        ("new", difference.added),
        ("changed", difference.changed),
        ("of another label or split", difference.relabelled),
    )
    return "; ".join(f"{len(paths)} {state} ({_listed(paths)})" for state, paths in kinds if paths)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _LISTED_AT_MOST} more" if len(names) > _LISTED_AT_MOST else ""
    return ", ".join(names[:_LISTED_AT_MOST]) + more
