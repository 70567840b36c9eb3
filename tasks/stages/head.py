"""The stage `head`: it trains a head on cached features, with a setting that is chosen on validation or by cross-validation."""

import logging
from pathlib import Path

from tasks.project.entry import stage
from tasks.project.paths import FEATURES_INDEX, HEAD, MANIFEST, SETTINGS, STRATEGY
from tasks.project.progress import counted
from tasks.stages.labelled_features import read_labelled
from tasks.stages.trigger_head import write_fitted
from thaw.dataset.manifest import read_manifest
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.evaluation.openness_words import describe as describe_tuning
from thaw.features.store.store import read_index
from thaw.foundation.files.atomic import replaced_folder
from thaw.heads import FittedHead, fit_head, write_head
from thaw.heads.class_texts import needed_class_texts
from thaw.heads.open_set import write_openness
from thaw.heads.open_set.fitting import check_target, fit_openness
from thaw.heads.text_head import text_head
from thaw.heads.trial_table import write_trials
from thaw.kinds.kind import ANY
from thaw.kinds.registry import kind_named
from thaw.kinds.views import expand_views
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings
from thaw.params.values.strategy import ZERO_SHOT, read_strategy
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.supports import supports
from thaw.targets.target import target_of

log = logging.getLogger(__name__)


def main() -> None:
    """Read the strategy, the manifest and the features of its labelled rows, fit a head, write `data/head/`."""
    params = read_settings(SETTINGS)
    manifest = read_manifest(MANIFEST)
    index = read_index(FEATURES_INDEX)
    strategy, target = read_strategy(STRATEGY), target_of(manifest)
    check_target(target, params.openness)
    if supports(target, "sequences"):
        write_fitted(params, manifest, index, strategy)
        return
    views = [index.layer(strategy.layer, view) for view in expand_views(params.head.views, kind_named(manifest.kind))]
    rows = training_examples(manifest, params.dataset.labels_per_class)
    class_names = class_names_of(rows)
    train = read_labelled(rows, class_names, views, target)
    val = read_labelled(validation_examples(manifest), class_names, views[:1], target)
    if strategy.kind == ZERO_SHOT:
        words = kind_named(manifest.kind).words
        head = text_head(needed_class_texts(params, class_names, words), val if len(val) else train.judging())
    else:
        head = fit_head(train, val if len(val) else None, params.head, strategy.head)
    with replaced_folder(HEAD) as folder:
        write_head(head, folder)
        write_trials(head.trials, folder / "trials.csv")
        log.info("%s", describe(head, train, val))
        add_openness(head, train, val, params, folder)


def add_openness(
    head: FittedHead, train: LabelledFeatures, val: LabelledFeatures, params: Params, folder: Path
) -> None:
    """Fit the openness and write it beside the head in `folder`, if the parameters ask for it."""
    with counted("openness", "fits") as progress:
        openness = fit_openness(
            head,
            train,
            val,
            params=params.openness,
            head_params=params.head,
            confidence=params.statistics.confidence,
            progress=progress,
        )
    if openness is not None:
        write_openness(openness, folder)
        for sentence in describe_tuning(openness.tuning, ANY):
            log.info("%s", sentence)


def describe(head: FittedHead, train: LabelledFeatures, val: LabelledFeatures) -> str:
    """One line on the head and on the choice of its setting."""
    chosen = next((trial for trial in head.trials if trial.chosen), None)
    if chosen is None:
        return f"head of the names of {len(head.class_names)} classes; it has learnt from no example"
    judge = f"{len(val)} validation examples" if len(val) else "cross-validation"
    count = len(train.judging())
    reached = "nothing to choose on"
    if chosen.log_loss is not None:
        reached = f"log loss {chosen.log_loss:.3f} on {judge}"
    return f"{head.kind} head on {count} examples of {len(head.class_names)} classes: {chosen.setting}, {reached}"


if __name__ == "__main__":
    stage(main)
