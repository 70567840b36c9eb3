"""The baselines of a model that names label sets, fitted once each on the same images."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from tasks.project.progress import counted
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import TEST, Example, Manifest, references_of
from thaw.dataset.selection import examples_of, training_examples, validation_examples
from thaw.kinds.batches import Batch, split
from thaw.kinds.prepared import read_examples
from thaw.params.sections import Params
from thaw.strategies.baselines.label_sets_learners import always_all, learnt_from
from thaw.strategies.baselines.learners import BATCH, MAJORITY, PIXELS, RANDOM_BACKBONE
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.predictions import Predictions
from thaw.targets.target import target_of

Features = Callable[[Sequence[Example]], torch.Tensor]
"""Examples to float32 [N, D]."""


def measure_set_baselines(
    params: Params, manifest: Manifest, layer: str, predictions: Predictions
) -> list[tuple[str, Predictions]]:
    """What each baseline that is asked for says of the test images, `predictions` being the model's own, row for row."""
    encode = target_of(manifest).encode
    wanted, names = params.evaluate.baselines, predictions.class_names
    train = training_examples(manifest, params.dataset.labels_per_class)
    found: list[tuple[str, Predictions]] = []
    if MAJORITY in wanted:
        shares = encode(train, names).float().mean(0).tolist()
        found.append((MAJORITY, always_all(predictions, shares)))
    ways = _ways(params, read_backbone(params.backbone), layer)
    fitted = [name for name in (PIXELS, RANDOM_BACKBONE) if name in wanted]
    val, test = validation_examples(manifest), examples_of(manifest, TEST)
    with counted("evaluate", "fits") as progress:
        for number, name in enumerate(fitted, start=1):
            features = ways[name]

            def labelled(rows: Sequence[Example], features: Features = features) -> LabelledFeatures:
                return LabelledFeatures(features(rows), encode(rows, names), names, group_numbers(rows))

            said = learnt_from(
                labelled(train), labelled(val) if val else None, features(test), params.head, predictions
            )
            found.append((name, said))
            progress(number, len(fitted))
    return found


def _ways(params: Params, backbone: Backbone, layer: str) -> dict[str, Features]:
    """What each learns from: examples without any backbone, and features of the same network with random weights, cut at the same layer."""
    source, limits = Path(params.dataset.source), params.dataset.limits
    random = backbone.randomised(params.head.seed)

    def read(rows: Sequence[Example]) -> Batch:
        return read_examples(references_of(rows, source), backbone.preprocessing, limits)

    def random_features(rows: Sequence[Example]) -> torch.Tensor:
        return torch.cat([random.features(part)[layer].clone() for part in split(read(rows), BATCH)])

    return {PIXELS: lambda rows: backbone.kind.plain_features(read(rows)), RANDOM_BACKBONE: random_features}
