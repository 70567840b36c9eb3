"""The evidence of the gates, downloaded from the MLflow runs of champion and challenger."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tasks.registry.registry import ModelVersion, Registry
from thaw.evaluation.checks import read_checks
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.gates.deciding import Evidence
from thaw.gates.false_accepts import FILE as FALSE_ACCEPTS
from thaw.gates.parity import read_parity
from thaw.gates.wear import Judgement
from thaw.models.serving_cost import read_serving_cost
from thaw.targets.predictions import Predictions, read_predictions
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
        present = registry.files(challenger, FOLDER)

        def kept(file: str, read: Callable[[Path], Kept]) -> Kept | None:
            path = f"{FOLDER}/{file}"
            if path not in present:
                return None
            try:
                return read(registry.download(challenger, path, folder))
            except BadArtifact as error:
                raise RegistryError(
                    f"{path} of {registry.name} version {challenger.number} is damaged or of another version of Thaw; "
                    "restore it in its MLflow run, or register the model anew with `thaw run`"
                ) from error

        return Evidence(
            champion=None if champion is None else _predictions(registry, champion, folder / "champion"),
            challenger=_predictions(registry, challenger, folder / "challenger"),
            checks=kept("checks.json", read_checks),
            cost=kept("serving.json", read_serving_cost),
            parity=kept("parity.json", read_parity),
            anchor=None if anchor is None else _predictions(registry, anchor, folder / "anchor"),
            earlier=earlier,
            false_accepts=kept(FALSE_ACCEPTS, read_kept_promises),
        )


def _predictions(registry: Registry, version: ModelVersion, folder: Path) -> Predictions:
    folder.mkdir()
    return read_predictions(registry.download(version, PREDICTIONS, folder))
