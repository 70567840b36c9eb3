"""A model of a notebook in a folder: the predictor's own files, the manifest, the answers for the test, and one JSON file. No file is a pickle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

import thaw
from thaw.dataset.manifest import read_manifest, write_manifest
from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.foundation.files.atomic import replaced_folder
from thaw.foundation.files.records import read_record, write_record
from thaw.models.prediction.predictor import Predictor
from thaw.notebook.cache import cache_at
from thaw.notebook.model import Model
from thaw.notebook.setup import Setup
from thaw.notebook.telling import Teller
from thaw.params.sections import Params
from thaw.targets.predictions import read_predictions, write_predictions

FITTED = "fitted.json"
_MANIFEST, _TEST = "manifest.parquet", "predictions.parquet"


@dataclass(frozen=True)
class Fitted:
    """The content of `fitted.json`. params: every parameter. version: of Thaw. The others are those of `Model`."""

    params: Params
    strategy: str
    fingerprint: str
    rejected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    version: str
    format: Literal["thaw.fitted/1"] = "thaw.fitted/1"


_ADAPTER = TypeAdapter(Fitted)


def write_model(model: Model, folder: Path) -> Path:
    """See `Model.save`."""
    if folder.exists() and not (folder / FITTED).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadParameters(f"{folder} holds something else than a model; name another folder")
    fitted = Fitted(model.setup.asked, model.strategy, model.fingerprint, model.rejected, model.notes, thaw.__version__)
    with replaced_folder(folder.absolute()) as fresh:
        model.predictor.write(fresh)
        write_manifest(model.manifest, fresh / _MANIFEST)
        if model.held_out is not None:
            write_predictions(model.held_out, fresh / _TEST)
        write_record(_ADAPTER, fitted, fresh / FITTED)
    return folder


def read_model(folder: Path, cache: "str | Path | None" = None, *, quiet: bool = False) -> Model:
    """See `Model.load`."""
    fitted = read_fitted(folder)
    test = folder / _TEST
    return Model(
        predictor=Predictor.read(folder),
        setup=Setup(fitted.params, cache_at(cache), Teller(quiet)),
        strategy=fitted.strategy,
        fingerprint=fitted.fingerprint,
        manifest=read_manifest(folder / _MANIFEST),
        held_out=read_predictions(test) if test.is_file() else None,
        rejected=fitted.rejected,
        notes=fitted.notes,
    )


def read_fitted(folder: Path) -> Fitted:
    """The file `fitted.json` of a model.

    Raises:
        BadArtifact: the folder holds no model that `Model.save` wrote.
    """
    if not (folder / FITTED).is_file():
        raise BadArtifact(f"{folder} holds no model of a notebook; `model.save(FOLDER)` writes one")
    return read_record(_ADAPTER, folder / FITTED, lambda error: f"{folder / FITTED} cannot be read: {error}")
