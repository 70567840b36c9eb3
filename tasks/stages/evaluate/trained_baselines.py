"""The transfer gain of the model: a head on the cached features against the baselines that must be trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tasks.project.progress import counted
from thaw.backbones.backbone import Backbone
from thaw.dataset.manifest import Example, Manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import training_examples, validation_examples
from thaw.features.store.store import FeatureStore, Layer, read_views
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preprocessing
from thaw.kinds.prepared import read_examples
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import HeadKind
from thaw.strategies.baselines.learners import (
    PLAIN,
    RANDOM_BACKBONE,
    SCRATCH,
    Course,
    Inputs,
    frozen_learner,
    plain_learner,
    random_backbone_learner,
    scratch_learner,
)
from thaw.strategies.baselines.transfer_gain import FROZEN, Draw, Learner, TransferGain, measure_transfer_gain
from thaw.targets.target import target_of


@dataclass(frozen=True)
class Setting:
    """The inputs of the contenders; `views` are those that the head, of `kind`, trains on, the plain view first."""

    params: Params
    manifest: Manifest
    views: tuple[Layer, ...]
    backbone: Backbone
    store: FeatureStore
    class_names: tuple[str, ...]
    kind: HeadKind
    test: tuple[Example, ...]

    def targets(self, examples: Sequence[Example]) -> torch.Tensor:
        """See `Target.encode`."""
        return target_of(self.manifest).encode(examples, self.class_names)


def measure_contenders(setting: Setting) -> TransferGain | None:
    """Repeat the frozen head and the trained baselines over the seeds; None if no baseline must be trained."""
    wanted = [name for name in setting.params.evaluate.baselines if name in (PLAIN, RANDOM_BACKBONE, SCRATCH)]
    if not wanted:
        return None
    pool, val = training_examples(setting.manifest, None), validation_examples(setting.manifest)
    learners = _learners(setting, wanted, pool, val)
    targets = setting.targets(setting.test)
    with counted("evaluate", "fits") as progress:
        return measure_transfer_gain(
            learners, _draws(setting, pool), targets, resampling_of(setting.params.statistics), progress
        )


def _draws(setting: Setting, pool: Sequence[Example]) -> list[Draw]:
    row = {example.digest: number for number, example in enumerate(pool)}
    draws = []
    for seed in range(setting.params.evaluate.seeds):
        drawn = training_examples(setting.manifest, setting.params.dataset.labels_per_class, seed)
        rows = torch.tensor([row[example.digest] for example in drawn])
        draws.append(Draw(seed, rows, setting.targets(drawn)))
    return draws


def _learners(
    setting: Setting, wanted: Sequence[str], pool: Sequence[Example], val: Sequence[Example]
) -> Mapping[str, Learner]:
    course = Course(setting.class_names, setting.targets(val) if val else None, setting.params.head, setting.kind)
    learners = {FROZEN: frozen_learner(_features(setting, pool, val), course)}
    own = setting.backbone.preprocessing
    examples = _examples(setting, pool, val, own)
    if SCRATCH in wanted:
        learners[SCRATCH] = scratch_learner(examples, course, setting.backbone)
    if PLAIN in wanted:
        plain = setting.backbone.kind.plain_preprocessing(own)
        plain_examples = examples if plain == own else _examples(setting, pool, val, plain)
        learners[PLAIN] = plain_learner(plain_examples, course, plain)
    if RANDOM_BACKBONE in wanted:
        learners[RANDOM_BACKBONE] = random_backbone_learner(examples, course, setting.backbone, setting.views[0].name)
    return learners


def _features(setting: Setting, pool: Sequence[Example], val: Sequence[Example]) -> Inputs[torch.Tensor]:
    def read(examples: Sequence[Example]) -> torch.Tensor:
        return read_views(setting.store, setting.views[:1], examples)[:, 0]

    return Inputs(read_views(setting.store, setting.views, pool), read(val) if val else None, read(setting.test))


def _examples(
    setting: Setting, pool: Sequence[Example], val: Sequence[Example], preprocessing: Preprocessing
) -> Inputs[Batch]:
    dataset = setting.params.dataset

    def read(examples: Sequence[Example]) -> Batch:
        return read_examples(references_of(examples, places_of(dataset)), preprocessing, dataset.limits)

    return Inputs(read(pool), read(val) if val else None, read(setting.test))
