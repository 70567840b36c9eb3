"""Rebuilding a version in a checkout of its own: at its commit, from the images that it was made from, by the stages themselves, and compared.

Nothing outside the checkout is written: not the user's tree, not DVC's cache, not the registry.
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

LAST = "evaluate"
"""The stage that ends it: what comes after would only register."""
_SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """What a rebuilding would do."""

    commit: str
    supplies: tuple[Supply, ...]
    packages: tuple[str, ...]
    """Those that are installed in another version than then."""
    processors: tuple[str, str] | None
    """Then and now, where they differ."""

    @property
    def possible(self) -> bool:
        return all(supply.complete for supply in self.supplies)


@dataclass(frozen=True)
class Rebuilt:
    """What came out; `outputs` says of each output whether it is the same byte for byte."""

    plan: Plan
    agreement: Agreement
    outputs: dict[str, bool]
    seconds: float


def plan(root: Path, recipe: Recipe, folder: Path) -> Plan:
    """Check the version out to `folder`, and see whether everything that it needs is to be had.

    Raises:
        NotReproducible: the commit is missing, or has other code than the version was made with.
    """
    place = _check_out(root, recipe, folder)
    return _plan(recipe, look_for(recipe, place))


def rebuild(root: Path, recipe: Recipe, folder: Path, watcher: Watcher, tolerance: float) -> Rebuilt:
    """Check the version out to `folder`, bring its data, run its stages there, and compare what comes out with what the version's run holds.

    Raises:
        NotReproducible: see `plan`; or images are no longer to be had, or give another manifest.
        StageFailed: a stage failed.
    """
    started = time.monotonic()
    place = _check_out(root, recipe, folder)
    found = _plan(recipe, bring(recipe, place))
    _run(place.checkout, watcher, after={"ingest": lambda: _refuse_other_images(recipe, place.checkout)})
    after = parse_lock((place.checkout / LOCK).read_text(encoding="utf-8"))
    return Rebuilt(
        plan=found,
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
                f"{_listed(differing)}; name the commit that has them with --commit"
            )
        # What DVC pulls must be what the version had; the commit's own lock is of the version before.
        (checkout / LOCK).write_bytes(recipe.lock.read_bytes())
    return Place(root, checkout)


def _plan(recipe: Recipe, supplies: tuple[Supply, ...]) -> Plan:
    then, now = recipe.lineage.machine, this_machine().processor
    other = None if then is None or then.processor == now else (then.processor, now)
    return Plan(recipe.commit, supplies, package_differences(recipe.lineage), other)


def _run(checkout: Path, watcher: Watcher, after: dict[str, Callable[[], None]]) -> None:
    """Run every stage, whatever DVC knows already; `after` is called when the stage of that name has run."""
    reproductions = Reproductions(checkout, _surroundings(checkout))
    for stage in needed_for(read_stages(checkout), LAST):
        if stage.name.endswith(".dvc"):  # no stage: a folder that DVC keeps
            continue
        watcher.starts(stage.name)
        result = reproductions.run(Order(stage.name, force=True), _teller(watcher, stage.name))
        watcher.ends(result)
        _refuse_failure(result)
        after.get(stage.name, lambda: None)()


def _teller(watcher: Watcher, stage: str) -> Callable[[str], None]:
    return lambda line: watcher.says(stage, line)


def _refuse_failure(result: Result) -> None:
    if not result.outcome.done:
        raise StageFailed(
            f"stage `{result.stage}` failed while rebuilding: {result.reason}; "
            "`thaw reproduce --keep FOLDER` leaves the checkout to look at, and .thaw/logs in it"
        )


def _surroundings(checkout: Path) -> dict[str, str]:
    """The checkout's own modules, and a store of its own, should anything ask for MLflow."""
    store = f"sqlite:///{(checkout / STATE / 'mlflow.db').absolute()}"
    return {
        "PYTHONPATH": str(checkout),
        "MLFLOW_TRACKING_URI": store,
        "MLFLOW_REGISTRY_URI": store,
        "PWD": str(checkout),
    }


def _refuse_other_images(recipe: Recipe, checkout: Path) -> None:
    """Before hours of training: the manifest must be the one of then."""
    found = compare_manifests(recipe.manifest, rebuilt_manifest(checkout))
    if not found.none:
        raise NotReproducible(
            f"the images that were found are not those of {recipe.version.uri}: {_say(found)}; bring back what it was made from"
        )


def _say(found: ManifestDifference) -> str:
    kinds = (
        ("gone", found.gone),
        ("new", found.added),
        ("changed", found.changed),
        ("of another label or split", found.relabelled),
    )
    return "; ".join(f"{len(paths)} {what} ({_listed(paths)})" for what, paths in kinds if paths)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
