"""Fine-tuning on folds, and what it would take: what the advice tries before it recommends."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.blocks import blocks_of
from thaw.finetuning.activations import kept_views, run_frozen
from thaw.finetuning.feeds import ActivationFeed, Feed, InputFeed
from thaw.finetuning.fitting import Desk, Start, build_fabric, finetune, first_head, settings_of
from thaw.finetuning.groups import groups_of
from thaw.finetuning.network import Network, build_network
from thaw.finetuning.training import Examples, Plan, steps_of, time_steps
from thaw.heads import fit_head
from thaw.heads.kinds import weights_of
from thaw.kinds.batches import examples_in
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.strategy import Strategy
from thaw.targets.labelled import LabelledFeatures

STEPS = 3
"""So many are timed, after one that warms up."""
PHASES = 1.8
"""A training without validation images: four fifths of the images to choose the epochs, then all of them."""


class Rows(Protocol):
    """What is learnt from and what is judged, each int64 [M] rows of the images."""

    @property
    def learn(self) -> Tensor: ...

    @property
    def judge(self) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class FinetuningPilot:
    """Fine-tunes on some rows of images and predicts others.

    images: called when they are needed first, for decoding them all takes a while. features: of the head's layer, row for row with the images.
    """

    backbone: Backbone
    layer: str
    images: Callable[[], LabelledInputs]
    features: LabelledFeatures
    head: HeadParams
    params: FinetuneParams
    desk: Desk

    @property
    def strategies(self) -> Sequence[Strategy]:
        """The cheapest first, then all layers; two blocks where there are more; from scratch at last."""
        blocks = [count for count in (1, 2) if count < len(blocks_of(self.backbone.model))]
        last = [Strategy("last_blocks", self.layer, count) for count in blocks]
        return (*last[:1], Strategy("full", self.layer), *last[1:], Strategy("scratch", self.layer))

    def seconds(self, strategy: Strategy, rows: int) -> float:
        """What one training on that many rows takes at most, from the time of a few steps, and of what the frozen part gives where that is kept."""
        params, images = settings_of(strategy, self.params), self.images()
        few = images.rows(torch.arange(min(len(images), params.batch_size)))
        start = self._start(torch.arange(len(images)))
        network = build_network(self.backbone, strategy, first_head(start.head, strategy), params)
        began = time.perf_counter()
        feed = self._feed(network, few, rows, params)
        once = (time.perf_counter() - began) * rows / len(few)
        plan = Plan(
            part=network.part,
            groups=groups_of(network, params),
            train=Examples(feed, few.targets),
            val=None,
            class_weights=start.class_weights,
            epochs=1,
            params=params,
            checkpoint=self.desk.checkpoint("unused"),
        )
        step = time_steps(build_fabric(params.model_copy(update={"devices": 1})), plan, STEPS)
        return once + PHASES * step * steps_of(rows, params.batch_size) * params.epochs

    def _feed(self, network: Network, few: LabelledInputs, rows: int, params: FinetuneParams) -> Feed:
        """As a training on that many rows would have it, but with few images."""
        views = kept_views(network, few, params, learnt=rows, judged=0)
        if views:
            batch = few.batch(torch.arange(len(few)))
            return ActivationFeed(torch.stack([run_frozen(network, batch, view) for view in views], 1))
        mixing = self.backbone.kind.mixing(params.mixup, params.cutmix, len(few.class_names))
        return InputFeed(few, self.backbone, network.lower, params.augment, mixing)

    def learn(self, strategy: Strategy, fold: Rows) -> Tensor:
        """Fine-tune on `fold.learn`, from a head that was fitted on just these; the classes that are named of `fold.judge`, bool [M, C]."""
        images = self.images()
        tuned = finetune(self._start(fold.learn), images.rows(fold.learn), None, strategy, self.params, desk=self.desk)
        examples = [example for row in fold.judge for example in examples_in(images.batch(row[None]))]
        return torch.from_numpy(tuned.predictor.predict(examples).named)

    def _start(self, rows: Tensor) -> Start:
        train = self.features.rows(rows)
        return Start(self.backbone, fit_head(train, None, self.head), weights_of(train, self.head))
