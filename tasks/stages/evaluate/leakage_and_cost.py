"""The measurements of `evaluate` for the gates of a promotion: `checks.json`, and `serving.json` of the deployed model."""

from collections.abc import Sequence
from pathlib import Path

import torch

from tasks.project.paths import FEATURES
from tasks.project.progress import counted
from tasks.registry.local_model import read_assembled
from thaw.dataset.corrections import CORRECTIONS, read_corrections
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import TRAIN, Example, Manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import training_examples, validation_examples
from thaw.evaluation.checks import Checks, Suspects, count_leakage, write_checks
from thaw.evaluation.near_copies import count_near_copies, first_of_each
from thaw.features.store.store import FeatureStore, Layer
from thaw.kinds.kind import Preprocessing
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.kinds.reading import read_ingested
from thaw.models.serving_cost import BATCH, measure_serving_cost, write_serving_cost
from thaw.params.sections import Params
from thaw.review.listing import HeadJudge, Rows, list_suspects
from thaw.targets.supports import supports
from thaw.targets.target import Target, target_of

COST = "serving.json"


def check(
    params: Params,
    manifest: Manifest,
    layer: Layer,
    test: Sequence[Example],
    report: Path,
    *,
    plain: Preprocessing | None = None,
) -> None:
    """Write `checks.json` and `serving.json` into `report`. test: the labelled test examples, at least one. plain: of the deployed model, if it has no
    backbone; then labels are judged by its own features.

    Raises:
        BadSource: an example is gone, or has changed since the ingestion.
    """
    learnt, val = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    held_out = [row for row in manifest.examples() if row.split != TRAIN]
    known = first_of_each([*learnt, *val])
    target = target_of(manifest)
    suspects = None
    if supports(target, "pooled_features"):
        suspects = _suspects(params, _judging(params, layer, known, plain), known, target)
    with counted("evaluate", "compared") as progress:
        near = count_near_copies(FeatureStore(FEATURES), layer, known, first_of_each(test), progress)
    write_checks(
        Checks(
            leakage=count_leakage(learnt, held_out),
            near_copies=near,
            suspects=suspects,
        ),
        report / "checks.json",
    )
    _cost(params, test, report)


def _judging(params: Params, layer: Layer, known: Sequence[Example], plain: Preprocessing | None) -> torch.Tensor:
    """The features that labels are judged by."""
    if plain is None:
        return _features(layer, known)
    references = references_of(known, places_of(params.dataset))
    return plain_features(read_examples(references, plain, params.dataset.limits), plain)


def _suspects(params: Params, features: torch.Tensor, known: Sequence[Example], target: Target) -> Suspects:
    """Suspect labels, out of fold, by heads that never saw the label; labels that a person has decided on are left out."""
    rows = Rows(tuple(known), features, group_numbers(known))
    judge = HeadJudge(rows, params.head, target)
    suspects, _ = list_suspects(rows.examples, read_corrections(CORRECTIONS).keys(), judge, target)
    labels = sum(len(row.names or ()) for row in known)
    return Suspects(labels, sum(suspect.labels_to_change(target) for suspect in suspects))


def _cost(params: Params, test: Sequence[Example], report: Path) -> None:
    places, limits = places_of(params.dataset), params.dataset.limits
    contents = [read_ingested(row.digest, places.at(row.path)) for row in test[:BATCH]]
    write_serving_cost(measure_serving_cost(read_assembled(params), contents, limits), report / COST)


def _features(layer: Layer, examples: Sequence[Example]) -> torch.Tensor:
    return FeatureStore(FEATURES).read(layer.fingerprint, layer.name, [row.digest for row in examples])
