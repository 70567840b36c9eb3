"""The pilot of a fine-tuning: trials on folds and the predicted time, for the advice."""

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
from thaw.finetuning.low_rank import can_adapt
from thaw.finetuning.network import Network, build_network
from thaw.finetuning.training import Examples, Plan, steps_of, time_steps
from thaw.finetuning.work_clock import work_clock
from thaw.heads import fit_head
from thaw.heads.kinds import weights_of
from thaw.kinds.batches import examples_in
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy
from thaw.targets.labelled import LabelledFeatures

STEPS = 3
"""The number of timed steps, after one for warming up."""
PHASES = 1.8
"""The length of a training without validation examples: four fifths of the examples for the choice of the epochs, then all examples."""


class Rows(Protocol):
    """The rows of the training and the rows that are judged, each int64 [M]."""

    @property
    def learn(self) -> Tensor: ...

    @property
    def judge(self) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class FinetuningPilot:
    """A learner that fine-tunes on some rows of examples and predicts others.

    examples: called at the first use, because the decoding of all examples takes a while. features: of the head's layer, row for row with the examples.
    """

    backbone: Backbone
    layer: str
    examples: Callable[[], LabelledInputs]
    features: LabelledFeatures
    head: HeadParams
    params: FinetuneParams
    desk: Desk

    @property
    def strategies(self) -> Sequence[Strategy]:
        """The strategies: the cheapest first, then adapters, all layers, two blocks if there are more, and from scratch last."""
        blocks = blocks_of(self.backbone.model)
        last = [Strategy("last_blocks", self.layer, count) for count in (1, 2) if count < len(blocks)]
        lora = [Strategy("lora", self.layer)] if can_adapt(self.backbone.model, blocks, self.params.lora) else []
        return (*last[:1], *lora, Strategy("full", self.layer), *last[1:], Strategy("scratch", self.layer))

    def clock(self) -> float:
        """See `work_clock`."""
        return work_clock(self.params)()

    def seconds(self, strategy: Strategy, rows: int) -> float:
        """The longest time of one training on that number of rows, from the time of a few steps and of the frozen part's kept activations."""
        params, examples = settings_of(strategy, self.params), self.examples()
        few = examples.rows(torch.arange(min(len(examples), params.batch_size)))
        start = self._start(torch.arange(len(examples)))
        network = build_network(self.backbone, strategy, first_head(start.head, strategy), params)
        began = self.clock()
        feed = self._feed(network, few, rows, params)
        once = (self.clock() - began) * rows / len(few)
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
        step = time_steps(build_fabric(params.model_copy(update={"devices": 1})), plan, STEPS, work_clock(params))
        return once + PHASES * step * steps_of(rows, params.batch_size) * params.epochs

    def _feed(self, network: Network, few: LabelledInputs, rows: int, params: FinetuneParams) -> Feed:
        """The feed of a training on that number of rows, but with few examples."""
        views = kept_views(network, few, params, learnt=rows, judged=0)
        if views:
            batch = few.batch(torch.arange(len(few)))
            return ActivationFeed(torch.stack([run_frozen(network, batch, view) for view in views], 1))
        mixing = self.backbone.kind.mixing(params.mixup, params.cutmix, len(few.class_names))
        return InputFeed(few, self.backbone, network.lower, params.augment, mixing)

    def learn(self, strategy: Strategy, fold: Rows) -> Tensor:
        """Fine-tune on `fold.learn`, from a head that was fitted on the same rows; returns the named classes of `fold.judge`, bool [M, C]."""
        inputs = self.examples()
        tuned = finetune(self._start(fold.learn), inputs.rows(fold.learn), None, strategy, self.params, desk=self.desk)
        examples = [example for row in fold.judge for example in examples_in(inputs.batch(row[None]))]
        return torch.from_numpy(tuned.predictor.predict(examples).named)

    def _start(self, rows: Tensor) -> Start:
        train = self.features.rows(rows)
        return Start(
            self.backbone,
            fit_head(train, None, self.head),
            weights_of(train, self.head),
            lambda some: fit_head(train.rows(some), None, self.head),
        )
