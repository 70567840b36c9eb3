"""The stage `head`: train a head on cached features, its setting chosen on validation or by
cross-validation."""

import logging
from collections.abc import Sequence

import torch

from tasks.project.entry import stage
from tasks.project.paths import FEATURES, FEATURES_INDEX, HEAD, MANIFEST, STRATEGY
from tasks.project.progress import counted
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example, read_manifest
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.evaluation.openness_words import describe as describe_tuning
from thaw.features.store.store import FeatureStore, Layer, read_index, read_views
from thaw.heads import FittedHead, fit_head, write_head
from thaw.heads.open_set import remove_openness, write_openness
from thaw.heads.open_set.fitting import fit_openness
from thaw.heads.trial_table import write_trials
from thaw.kinds.views import expand_views
from thaw.params.reading import read_params
from thaw.params.sections import Params
from thaw.params.strategy import read_strategy
from thaw.targets.labelled import LabelledFeatures, label_views

log = logging.getLogger(__name__)


def main() -> None:
    """Read the strategy, the manifest and the features of its labelled rows, fit a head, write `data/head/`."""
    params = read_params()
    manifest = read_manifest(MANIFEST)
    index = read_index(FEATURES_INDEX)
    strategy = read_strategy(STRATEGY)
    views = [index.layer(strategy.layer, view) for view in expand_views(params.head.views)]
    if manifest.multilabel:
        from tasks.stages.label_sets_head import fit_sets

        fit_sets(params, manifest, views)
        return
    rows = training_examples(manifest, params.dataset.labels_per_class)
    class_names = class_names_of(rows)
    train = read_labelled(rows, class_names, views)
    val = read_labelled(validation_examples(manifest), class_names, views[:1])
    head = fit_head(train, val if len(val) else None, params.head, strategy.head)
    remove_openness(HEAD)
    write_head(head, HEAD)
    write_trials(head.trials, HEAD / "trials.csv")
    log.info("%s", describe(head, train, val))
    add_openness(head, train, val, params)


def add_openness(head: FittedHead, train: LabelledFeatures, val: LabelledFeatures, params: Params) -> None:
    """Fit and write beside the head what tells inputs of no known class, where the parameters want it."""
    with counted("openness", "fits") as progress:
        found = fit_openness(
            head,
            train,
            val,
            params=params.openness,
            head_params=params.head,
            confidence=params.statistics.confidence,
            progress=progress,
        )
    if found is not None:
        write_openness(found, HEAD)
        for sentence in describe_tuning(found.tuning):
            log.info("%s", sentence)


def read_labelled(rows: Sequence[Example], class_names: tuple[str, ...], views: Sequence[Layer]) -> LabelledFeatures:
    """The cached features of labelled rows in each view, with their targets and groups, in the order of the rows."""
    features = read_views(FeatureStore(FEATURES), views, rows)
    targets = torch.tensor([class_names.index(str(row.label)) for row in rows], dtype=torch.int64)
    return label_views(features, targets, class_names, group_numbers(rows))


def describe(head: FittedHead, train: LabelledFeatures, val: LabelledFeatures) -> str:
    """One line on what was fitted, and what its setting was chosen on."""
    (chosen,) = (trial for trial in head.trials if trial.chosen)
    given = {
        "l2": chosen.setting.l2,
        "neighbours": chosen.setting.neighbours,
        "epochs": chosen.setting.epochs,
    }
    setting = ", ".join(f"{name} {value:g}" for name, value in given.items() if value is not None)
    judge = f"{len(val)} validation images" if len(val) else "cross-validation"
    reached = "nothing to choose on" if chosen.accuracy is None else f"accuracy {chosen.accuracy:.3f} on {judge}"
    images = len(train.judging())
    return f"{head.kind} head on {images} images of {len(head.class_names)} classes: {setting}, {reached}"


if __name__ == "__main__":
    stage(main)
