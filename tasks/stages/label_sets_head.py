"""The stage `head` on label sets: a logistic regression a class on cached features."""

import logging
from collections.abc import Sequence

from tasks.project.paths import FEATURES, HEAD
from thaw.dataset.groups import group_numbers
from thaw.dataset.label_sets_selection import class_names_of, training_examples, validation_examples
from thaw.dataset.manifest import Example, Manifest
from thaw.features.store.store import FeatureStore, Layer, read_views
from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.label_sets_fitting import fit_label_set_head
from thaw.heads.label_sets_storage import write_label_set_head
from thaw.heads.open_set import remove_openness
from thaw.heads.trial_table import write_trials
from thaw.params.sections import Params
from thaw.targets.label_sets.labelled import LabelSetFeatures, label_set_views, targets_of
from thaw.targets.label_sets.refusals import refuse_openness

log = logging.getLogger(__name__)


def fit_sets(params: Params, manifest: Manifest, views: Sequence[Layer]) -> None:
    """Fit a head for label sets on `views`, the image as it is first, and write `data/head/`.

    Raises:
        BadParameters: inputs of no known class are to be told.
    """
    refuse_openness(params.openness)
    rows = training_examples(manifest, params.dataset.labels_per_class)
    class_names = class_names_of(rows)
    train = read_labelled_sets(rows, class_names, views)
    val = read_labelled_sets(validation_examples(manifest), class_names, views[:1])
    head = fit_label_set_head(train, val if len(val) else None, params.head)
    remove_openness(HEAD)
    write_label_set_head(head, HEAD)
    write_trials(head.trials, HEAD / "trials.csv")
    log.info("%s", describe(head, train, val))


def read_labelled_sets(
    rows: Sequence[Example], class_names: tuple[str, ...], views: Sequence[Layer]
) -> LabelSetFeatures:
    """The cached features of labelled rows in each view, with their label sets and groups, in the order of the rows."""
    features = read_views(FeatureStore(FEATURES), views, rows)
    return label_set_views(features, targets_of(rows, class_names), class_names, group_numbers(rows))


def describe(head: LabelSetHead, train: LabelSetFeatures, val: LabelSetFeatures) -> str:
    """One line on what was fitted, and what its setting was chosen on."""
    (chosen,) = (trial for trial in head.trials if trial.chosen)
    judge = f"{len(val)} validation images" if len(val) else "cross-validation"
    reached = "nothing to choose on" if chosen.log_loss is None else f"log loss {chosen.log_loss:.3f} on {judge}"
    images, labels = train.judging(), int(train.judging().targets.sum())
    return f"{head.kind} head on {len(images)} images with {labels} labels of {len(head.class_names)} classes: {chosen.setting}, {reached}"
