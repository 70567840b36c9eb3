"""The transfer gain of the model: a head on the cached features against the baselines that must be trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch

from tasks.project.progress import counted
from thaw.backbones.backbone import Backbone
from thaw.dataset.groups import groups_of
from thaw.dataset.manifest import Example, Manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import training_examples, validation_examples
from thaw.features.store.store import FeatureStore, Layer, read_views
from thaw.foundation.files.kept import Kept
from thaw.heads import FittedHead
from thaw.heads.logistic import LogisticModel
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preprocessing
from thaw.kinds.prepared import read_examples
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import ZERO_SHOT, HeadKind, Strategy
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
    """The inputs of the contenders; `views` are those that the head, of `kind`, trains on, the plain view first. texts: the model of a head of the names of the
    classes, which trains on none; None: it is another head."""

    params: Params
    manifest: Manifest
    views: tuple[Layer, ...]
    backbone: Backbone
    store: FeatureStore
    class_names: tuple[str, ...]
    kind: HeadKind
    test: tuple[Example, ...]
    texts: LogisticModel | None = None

    def targets(self, examples: Sequence[Example]) -> torch.Tensor:
        """See `Target.encode`."""
        return target_of(self.manifest).encode(examples, self.class_names)


def texts_in(head: FittedHead, strategy: Strategy) -> LogisticModel | None:
    """The model of a head of the names of the classes; None: it is another head."""
    model = head.model
    return model if strategy.kind == ZERO_SHOT and isinstance(model, LogisticModel) else None


def measure_contenders(setting: Setting, kept: Kept | None = None) -> TransferGain | None:
    """Repeat the frozen head and the trained baselines over the seeds; None if no baseline must be trained. kept: what they named on the same inputs."""
    wanted = [name for name in setting.params.evaluate.baselines if name in (PLAIN, RANDOM_BACKBONE, SCRATCH)]
    if not wanted:
        return None
    pool, val = training_examples(setting.manifest, None), validation_examples(setting.manifest)
    learners = _learners(setting, wanted, pool, val, kept or Kept())
    targets = setting.targets(setting.test)
    with counted("evaluate", "fits") as progress:
        return measure_transfer_gain(
            learners,
            _draws(setting, pool),
            targets,
            resampling_of(setting.params.statistics),
            progress,
            groups=groups_of(setting.test),
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
    setting: Setting, wanted: Sequence[str], pool: Sequence[Example], val: Sequence[Example], kept: Kept
) -> Mapping[str, Learner]:
    """The model itself, and the baselines; a baseline that was measured on the same inputs opens no example."""
    course = Course(setting.class_names, setting.targets(val) if val else None, setting.params.head, setting.kind)
    own, layer = setting.backbone.preprocessing, setting.views[0].name
    plain = setting.backbone.kind.plain_preprocessing(own)
    examples = cache(lambda: _examples(setting, pool, val, own))
    plain_examples = examples if plain == own else cache(lambda: _examples(setting, pool, val, plain))
    makers: Mapping[str, Callable[[], Learner]] = {
        SCRATCH: lambda: scratch_learner(examples(), course, setting.backbone),
        PLAIN: lambda: plain_learner(plain_examples(), course, plain),
        f"{RANDOM_BACKBONE}-{setting.kind}-{layer}": lambda: random_backbone_learner(
            examples(), course, setting.backbone, layer
        ),
    }
    baselines = {name.partition("-")[0]: _keeping(kept.below(name), cache(make)) for name, make in makers.items()}
    features = frozen_learner(_features(setting, pool, val), replace(course, texts=setting.texts))
    return {FROZEN: features, **{name: learner for name, learner in baselines.items() if name in wanted}}


def _keeping(kept: Kept, make: Callable[[], Learner]) -> Learner:
    """The learner that `make` makes; what it named for a draw is kept, and it does not learn that draw again."""

    def learn(draw: Draw) -> torch.Tensor:
        before = kept.read(str(draw.seed))
        if before is not None:
            return torch.from_numpy(before["named"])
        named = make()(draw)
        kept.write(str(draw.seed), {"named": named.numpy()})
        return named

    return learn


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
