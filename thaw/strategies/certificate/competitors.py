"""The ways to learn that a certificate compares: every strategy, and the baselines without transfer."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.text_towers import JOINT
from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.finetuning.pilot import FinetuningPilot
from thaw.heads import FittedHead, fit_head
from thaw.heads.kinds import weights_of
from thaw.heads.logistic import LogisticModel
from thaw.kinds.batches import Batch, examples_in, rows_in
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prices import Price, Pricing
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import PLAIN, ZERO_SHOT, Strategy
from thaw.strategies.baselines.learners import (
    MAJORITY,
    RANDOM_BACKBONE,
    SCRATCH,
    Course,
    Inputs,
    frozen_learner,
    head_learner,
    random_backbone_learner,
)
from thaw.strategies.baselines.transfer_gain import Draw, Learner
from thaw.strategies.certificate.contest import Competitor
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import target_of_targets


@dataclass(frozen=True, eq=False)
class Arena:
    """The inputs of all competitors.

    features: of each cut layer, in order of depth: `train` float32 [N, V, D] in the views that heads train on, `val` and `test` float32 [N, D]. train: the
    examples that draws choose from. val: None without a validation split. test: N prepared examples. price: of a deployed model. plain: the features of the
    model without a backbone, float32 [N, D] or bags int32 [N, L]. plain_price: of that model. texts: the model of the names of the classes on the layer
    `joint`; None: the backbone has no text tower.
    """

    backbone: Backbone
    features: Mapping[str, Inputs[Tensor]]
    train: LabelledInputs
    val: LabelledInputs | None
    test: Batch
    head: HeadParams
    finetune: FinetuneParams
    desk: Desk
    price: Pricing
    plain: Inputs[Tensor]
    plain_price: Price
    texts: LogisticModel | None = None

    @property
    def last(self) -> str:
        """The last cut layer."""
        return list(self.features)[-1]

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.train.class_names

    def course(self, strategy: Strategy) -> Course:
        """The settings of heads."""
        texts = self.texts if strategy.kind == ZERO_SHOT else None
        return Course(self.class_names, None if self.val is None else self.val.targets, self.head, strategy.head, texts)

    def examples(self) -> Inputs[Batch]:
        """The examples themselves, prepared."""
        val = None if self.val is None else self.val.batch(torch.arange(len(self.val)))
        return Inputs(self.train.inputs, val, self.test)

    def labelled(self, layer: str, rows: Tensor) -> LabelledFeatures:
        """Training examples, int64 [M], in the plain view, with the features of a layer."""
        groups = None if self.train.groups is None else self.train.groups[rows]
        return LabelledFeatures(self.features[layer].train[rows, 0], self.train.targets[rows], self.class_names, groups)

    def validation(self, layer: str) -> LabelledFeatures | None:
        """The validation examples with the features of a layer."""
        features = self.features[layer].val
        return (
            None
            if self.val is None or features is None
            else LabelledFeatures(features, self.val.targets, self.class_names)
        )


def build_competitor(arena: Arena, strategy: Strategy) -> Competitor:
    """A strategy as a competitor, under its usual name."""
    if strategy.thaws:
        return _finetuning(arena, strategy)
    if strategy.kind == "cut":
        # Each draw chooses its cut layer; the price is that of the deepest and dearest of them.
        name, learn, price = "cut", _cut(arena), arena.price(Strategy("cut", list(arena.features)[-2]))
    else:
        name, price = str(strategy), arena.price(strategy)
        layer = JOINT if strategy.kind == ZERO_SHOT else arena.last
        learn = frozen_learner(arena.features[layer], arena.course(strategy))
    return Competitor(name, "strategy", learn, megabytes=price.megabytes, images_per_second=price.images_per_second)


def build_baselines(arena: Arena) -> tuple[Competitor, ...]:
    """The baselines: the model without a backbone, the same network from random weights, frozen and wholly trained, and the best constant answer."""
    linear = Strategy("linear", arena.last)
    speed = arena.price(linear).images_per_second or 1.0
    random = random_backbone_learner(arena.examples(), arena.course(linear), arena.backbone, arena.last)
    price = arena.price(linear)
    plain = arena.plain
    return (
        Competitor(
            PLAIN,
            "baseline",
            head_learner(lambda draw: plain.taken(draw.rows), arena.course(linear)),
            megabytes=arena.plain_price.megabytes,
            images_per_second=arena.plain_price.images_per_second,
        ),
        Competitor(
            RANDOM_BACKBONE,
            "baseline",
            random,
            seconds=lambda rows: (rows + rows_in(arena.test)) / speed,
            megabytes=price.megabytes,
            images_per_second=price.images_per_second,
        ),
        _finetuning(arena, Strategy("scratch", arena.last)),
        Competitor(MAJORITY, "baseline", _majority(arena)),
    )


def _finetuning(arena: Arena, strategy: Strategy) -> Competitor:
    every = torch.arange(len(arena.train))
    features = arena.labelled(arena.last, every)
    pilot = FinetuningPilot(
        arena.backbone, arena.last, lambda: arena.train, features, arena.head, arena.finetune, arena.desk
    )
    price = arena.price(Strategy("linear", arena.last))
    return Competitor(
        str(strategy),
        "baseline" if strategy.kind == SCRATCH else "strategy",
        _finetuned(arena, strategy),
        seconds=lambda rows: pilot.seconds(strategy, rows),
        megabytes=price.megabytes,
        images_per_second=price.images_per_second,
    )


def _finetuned(arena: Arena, strategy: Strategy) -> Learner:
    def learn(draw: Draw) -> Tensor:
        train = arena.labelled(arena.last, draw.rows)
        own = arena.head.model_copy(update={"seed": draw.seed})
        head = fit_head(train, arena.validation(arena.last), own)
        start = Start(
            arena.backbone, head, weights_of(train, arena.head), lambda some: fit_head(train.rows(some), None, own)
        )
        params = arena.finetune.model_copy(update={"seed": draw.seed})
        tuned = finetune(start, arena.train.rows(draw.rows), arena.val, strategy, params, desk=arena.desk)
        return torch.from_numpy(tuned.predictor.predict(examples_in(arena.test)).named)

    return learn


def _cut(arena: Arena) -> Learner:
    """A linear head at the earlier layer whose own validation, or cross-validation, has the lowest log loss."""

    def learn(draw: Draw) -> Tensor:
        head = arena.head.model_copy(update={"seed": draw.seed})
        fitted = {
            layer: fit_head(arena.labelled(layer, draw.rows), arena.validation(layer), head)
            for layer in list(arena.features)[:-1]
        }
        best = min(fitted, key=lambda layer: _loss(fitted[layer]))
        return fitted[best].named(fitted[best].probabilities(arena.features[best].test))

    return learn


def _loss(head: FittedHead) -> float:
    """The log loss of the chosen setting; infinite if no row could be held out."""
    return next((trial.log_loss for trial in head.trials if trial.chosen and trial.log_loss is not None), float("inf"))


def _majority(arena: Arena) -> Learner:
    def learn(draw: Draw) -> Tensor:
        named = target_of_targets(draw.targets).constant(draw.targets, len(arena.class_names))
        return named.expand(rows_in(arena.test), -1)

    return learn
