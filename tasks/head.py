"""The stage `head`: train a head on the cached features, and choose its setting."""

import csv
import io
import logging
from collections.abc import Sequence

import torch

from tasks.paths import FEATURES, FEATURES_INDEX, HEAD, MANIFEST
from tasks.running import stage
from thaw.features import FeatureStore, Layer, read_index
from thaw.files import write_text
from thaw.heads import FittedHead, fit_head, write_head
from thaw.labelled import LabelledFeatures
from thaw.manifest import Example, read_manifest
from thaw.params import read_params
from thaw.selection import class_names_of, training_examples, validation_examples

log = logging.getLogger(__name__)


def main() -> None:
    """Read the labelled features, fit, write `data/head/`."""
    params = read_params()
    manifest = read_manifest(MANIFEST)
    train, val = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    layer, names = read_index(FEATURES_INDEX).layer(params.head.layer), class_names_of(train)
    head = fit_head(
        read_labelled(train, layer, names), read_labelled(val, layer, names) if val else None, params.head
    )
    write_head(head, HEAD)
    write_text(HEAD / "trials.csv", _trials_csv(head))
    _tell(head, len(train), len(val))


def read_labelled(examples: Sequence[Example], layer: Layer, class_names: tuple[str, ...]) -> LabelledFeatures:
    """The cached features of labelled examples, row for row."""
    features = FeatureStore(FEATURES).read(layer.fingerprint, layer.name, [example.digest for example in examples])
    number = {name: index for index, name in enumerate(class_names)}
    targets = torch.tensor([number[str(example.label)] for example in examples])
    return LabelledFeatures(features, targets, class_names, _groups(examples))


def _groups(examples: Sequence[Example]) -> torch.Tensor | None:
    """A number for each group, and one of its own for each example without; None where there are no groups at all."""
    if all(example.group is None for example in examples):
        return None
    names = [example.group or example.digest.hex() for example in examples]
    number = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([number[name] for name in names])


def _trials_csv(head: FittedHead) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("setting", "value", "log_loss", "accuracy", "chosen"))
    table.writerows((one.name, one.value, one.log_loss, one.accuracy, one.chosen) for one in head.trials)
    return text.getvalue()


def _tell(head: FittedHead, train: int, val: int) -> None:
    how = f"on {val} validation images" if val else "by cross-validation"
    best = next(trial for trial in head.trials if trial.chosen)
    log.info(
        "%s head on %d images: %s=%g chosen %s (log loss %.3f, accuracy %.3f)",
        head.kind, train, best.name, best.value, how, best.log_loss, best.accuracy,
    )  # fmt: skip


if __name__ == "__main__":
    stage(main)
