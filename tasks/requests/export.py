"""The request `thaw export`: a version from the registry becomes a folder that others can run. It is no stage; a person asks for it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.project.paths import MANIFEST
from tasks.registry.deployed_model import find_version, read_deployed
from tasks.registry.registry import Registry, open_registry
from tasks.requests.hear import read_listening
from thaw.dataset.manifest import TEST, TRAIN, read_manifest
from thaw.dataset.places import Place, places_of
from thaw.foundation.errors import BadExample, BadExport
from thaw.kinds.batches import Batch
from thaw.kinds.reading import read_ingested, spread
from thaw.models.exporting.card import Origin
from thaw.models.exporting.folder import Export, Tell, check_target, write_export
from thaw.models.exporting.formats import Format
from thaw.models.exporting.graph import Output, outputs_of
from thaw.models.listening.exporting.folder import write_exported_trigger
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params
from thaw.params.values.reading import read_params

EXPORTS = "data/exports"
"""The folder of exports, unless another is named."""
CHECKED_ON = 64
"""The most examples that an export is checked on."""
CALIBRATED_ON = 128
"""The most training examples for the scales of integers of 8 bits."""


@dataclass(frozen=True)
class Plan:
    """The plan of an export: its origin, format, folder and outputs, and the kind and number of the examples for its check."""

    origin: Origin
    format: Format
    folder: Path
    outputs: tuple[Output, ...]
    kind: str
    examples: int


def plan_export(uri: str | None, format_: Format, out: Path | None, examples: Sequence[Path]) -> Plan:
    """The plan of `export`; no file is written.

    Raises:
        RegistryError, BadExport: see `export`.
    """
    params = read_params()
    registry = open_registry(params.registry)
    origin = find_origin(registry, uri)
    folder = out or default_folder(origin, format_)
    check_target(folder, format_)
    predictor = read_deployed(registry, origin.uri).predictor
    kind = predictor.backbone.kind.name
    return Plan(origin, format_, folder, outputs_of(predictor), kind, len(_contents(examples, params)))


def export(uri: str | None, format_: Format, out: Path | None, examples: Sequence[Path], tell: Tell) -> Export:
    """Export a version and check it on examples: those that are named, else some of the test.

    Args:
        uri: an MLflow model URI; None: the champion.
        out: the folder; None: one below `data/exports`.
        examples: files; none: up to 64 of the manifest's test.

    Raises:
        RegistryError: there is no such version, or it is no model of Thaw.
        BadExport: see `thaw.models.exporting.folder.write_export`; or an example for the check cannot be used.
        BadSource: a test example is gone or changed.
    """
    params = read_params()
    registry = open_registry(params.registry)
    origin = find_origin(registry, uri)
    folder = out or default_folder(origin, format_)
    check_target(folder, format_)
    tell(f"reading {origin.uri}")
    predictor = read_deployed(registry, origin.uri).predictor
    prepared = _prepared(predictor, _contents(examples, params), params, "name other examples with --examples")
    calibration: list[Batch] = []
    if format_ is Format.INT8:
        calibration = _prepared(predictor, _training(params), params, "export without --int8")
    return write_export(predictor, origin, format_, prepared, folder=folder, calibration=calibration, tell=tell)


@dataclass(frozen=True)
class ExportedTrigger:
    """folder: of the word. difference: the largest of a score that the check found, in log-odds."""

    word: str
    folder: Path
    difference: float


def export_triggers(
    uri: str | None, format_: Format, out: Path | None, *, dry_run: bool = False
) -> tuple[ExportedTrigger, ...]:
    """Export each trigger of a version that hears triggers, as ONNX with a program that listens: one into the folder, several into folders below it.

    dry_run: nothing is written, and the differences are NaN.

    Raises:
        RegistryError: there is no such version.
        BadExport: another format is asked for; or see `write_exported_trigger`.
    """
    if format_ is not Format.ONNX:
        raise BadExport(f"--format {format_.value}: a trigger is exported as onnx, with a program that listens")
    origin = find_origin(open_registry(read_params().registry), uri)
    folder, models = out or default_folder(origin, format_), read_listening(origin.uri)
    folders = [folder] if len(models) == 1 else [folder / _name(model.word) for model in models]
    return tuple(
        ExportedTrigger(model.word, own, math.nan if dry_run else write_exported_trigger(model, own))
        for model, own in zip(models, folders, strict=True)
    )


def find_origin(registry: Registry, uri: str | None) -> Origin:
    """The origin of a model URI, with its lineage if it is a version in a registry; None: the champion.

    Raises:
        RegistryError: there is no such version.
    """
    version = find_version(registry, uri)
    if version is None:
        return Origin(registry.name, None, str(uri), {})
    tags = {name: value for name, value in version.tags.items() if name.startswith("thaw.")}
    return Origin(version.name, version.number, version.uri, tags)


def default_folder(origin: Origin, format_: Format) -> Path:
    """A folder below `data/exports`, named after the version and the format, without letters that file names may not hold."""
    return Path(EXPORTS) / "-".join(
        [_name(origin.name), *([] if origin.version is None else [str(origin.version)]), format_.value]
    )


def _name(given: str) -> str:
    return re.sub(r"[^\w.-]+", "-", given)


def _prepared(
    predictor: Predictor, contents: Sequence[tuple[bytes | None, Place]], params: Params, remedy: str
) -> list[Batch]:
    """The prepared examples of files. remedy: what to do about a file that cannot be used."""
    limits, prepared = params.dataset.limits, []
    for digest, path in contents:
        content = path.read_bytes() if digest is None else read_ingested(digest, path)
        try:
            prepared.append(predictor.prepare(content, limits))
        except BadExample as error:
            raise BadExport(f"{path} {error}; {remedy}") from error
    return prepared


def _contents(examples: Sequence[Path], params: Params) -> list[tuple[bytes | None, Place]]:
    """The files for the check, with their digests if they are in the manifest."""
    if examples:
        return [(None, path) for path in examples[:CHECKED_ON]]
    if not MANIFEST.exists():
        raise BadExport(f"{MANIFEST} is missing, so there are no examples for the check; name some with --examples")
    return _ingested(params, TEST, CHECKED_ON)


def _training(params: Params) -> list[tuple[bytes | None, Place]]:
    """The files for the scales of 8 bits, with their digests."""
    if not MANIFEST.exists():
        raise BadExport(
            f"{MANIFEST} is missing, so there are no training examples for the scales; export without --int8"
        )
    return _ingested(params, TRAIN, CALIBRATED_ON)


def _ingested(params: Params, split: str, most: int) -> list[tuple[bytes | None, Place]]:
    """The files of some examples of a split, with their digests."""
    places = places_of(params.dataset)
    own = [
        (example.digest, places.at(example.path))
        for example in read_manifest(MANIFEST).examples()
        if example.split == split
    ]
    return [*spread(own, most)]
