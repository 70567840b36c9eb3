"""The evidence of the gates, downloaded from the MLflow runs of champion and challenger."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tasks.registry.registry import ModelVersion, Registry
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import read_slices
from thaw.evaluation.checks import read_checks
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.gates.deciding import Evidence
from thaw.gates.false_accepts import FILE as FALSE_ACCEPTS
from thaw.gates.misses import FILE as HEARD_CLIPS
from thaw.gates.parity import read_parity
from thaw.gates.wear import Judgement
from thaw.models.serving_cost import read_serving_cost
from thaw.targets.predictions import Predictions, read_predictions
from thaw.targets.trigger.common_budget import read_heard_clips
from thaw.targets.trigger.kept_promise import read_kept_promises

FOLDER = "report"
PREDICTIONS = f"{FOLDER}/predictions.parquet"
Kept = TypeVar("Kept")


def gather(
    registry: Registry,
    champion: ModelVersion | None,
    challenger: ModelVersion,
    anchor: ModelVersion | None = None,
    earlier: tuple[Judgement, ...] = (),
) -> Evidence:
    """The predictions of all, and the measurements of the challenger; a measurement that its run lacks is None, as in older versions.

    anchor: the best champion so far, if it is another than the champion. earlier: the judgements before.

    Raises:
        RegistryError: the predictions are gone, or a file is damaged.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        kept = _Kept(registry, challenger, folder)
        before = None if champion is None else _Kept(registry, champion, folder / "before")
        return Evidence(
            champion=None if champion is None else _predictions(registry, champion, folder / "champion"),
            challenger=_predictions(registry, challenger, folder / "challenger"),
            checks=kept.read("checks.json", read_checks),
            cost=kept.read("serving.json", read_serving_cost),
            parity=kept.read("parity.json", read_parity),
            anchor=None if anchor is None else _predictions(registry, anchor, folder / "anchor"),
            earlier=earlier,
            slices=kept.read(SLICES, read_slices),
            false_accepts=kept.read(FALSE_ACCEPTS, read_kept_promises),
            heard_clips=kept.read(HEARD_CLIPS, read_heard_clips),
            champion_heard=None if before is None else before.read(HEARD_CLIPS, read_heard_clips),
        )


class _Kept:
    """The files of a version's report, read in `folder`."""

    def __init__(self, registry: Registry, version: ModelVersion, folder: Path) -> None:
        self._registry, self._version, self._folder = registry, version, folder
        folder.mkdir(exist_ok=True)
        self._present = registry.files(version, FOLDER)

    def read(self, file: str, read: Callable[[Path], Kept]) -> Kept | None:
        """A file; None: the version has none.

        Raises:
            RegistryError: it is damaged.
        """
        path = f"{FOLDER}/{file}"
        if path not in self._present:
            return None
        try:
            return read(self._registry.download(self._version, path, self._folder))
        except BadArtifact as error:
            raise RegistryError(
                f"{path} of {self._registry.name} version {self._version.number} is damaged or of another version of Thaw; "
                "restore it in its MLflow run, or register the model anew with `thaw run`"
            ) from error


def _predictions(registry: Registry, version: ModelVersion, folder: Path) -> Predictions:
    folder.mkdir()
    return read_predictions(registry.download(version, PREDICTIONS, folder))
