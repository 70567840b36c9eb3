"""Baselines: other ways to learn from the same labelled examples, each a learner of `thaw.strategies.baselines.transfer_gain`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.one_answer import OneAnswer
from thaw.heads import fit_head
from thaw.heads.logistic import LogisticModel
from thaw.heads.text_head import text_head
from thaw.kinds.batches import Batch, joined_rows, rows_at_once, split, taken
from thaw.kinds.kind import Preprocessing
from thaw.kinds.prepared import kind_of
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.strategies.baselines.from_scratch import ScratchSettings, predict_logits, train_scratch
from thaw.strategies.baselines.transfer_gain import Draw, Learner
from thaw.targets.labelled import LabelledFeatures, label_views
from thaw.targets.target import target_of_targets

MAJORITY, PLAIN, RANDOM_BACKBONE, SCRATCH = "majority", "pixels", "random_backbone", "scratch"
"""The baselines by their names in `evaluate.baselines`; `PLAIN` is the linear model on `Kind.plain_features`, whatever the kind."""

BATCH = 64
FOLDS = 5
"""Without validation, one part of this number of parts is held out for the tuning of thresholds."""


Form = TypeVar("Form", bound=Batch)


@dataclass(frozen=True)
class Inputs(Generic[Form]):
    """The same examples in one form, row for row: batches of N, or features of any shape [N, ...]. val: None without a validation split.

    train: the rows that a draw chooses from, or only the drawn rows after `taken`.
    """

    train: Form
    val: Form | None
    test: Form

    def taken(self, rows: torch.Tensor) -> "Inputs[Form]":
        """The inputs with only these rows of `train`."""
        return Inputs(cast("Form", taken(self.train, rows)), self.val, self.test)

    def map(self, change: Callable[[Batch], torch.Tensor]) -> "Inputs[torch.Tensor]":
        """`change` applied to each split, in batches of rows."""

        def batched(batch: Batch) -> torch.Tensor:
            return joined_rows([change(part) for part in split(batch, min(BATCH, rows_at_once(batch)))])

        return Inputs(batched(self.train), None if self.val is None else batched(self.val), batched(self.test))


@dataclass(frozen=True)
class Course:
    """A learner's settings beside its inputs: the classes, the targets of validation, the parameters of heads, and their kind. texts: the model of a head of
    the names of the classes, in the place of a trained one."""

    class_names: tuple[str, ...]
    val_targets: torch.Tensor | None
    head: HeadParams
    kind: HeadKind = "linear"
    texts: LogisticModel | None = None


def head_learner(inputs: Callable[[Draw], Inputs[torch.Tensor]], course: Course) -> Learner:
    """A learner that fits a head on the features of a draw, float32 [N, D], or [N, V, D] with views; the draw's seed is also the head's."""

    def learn(draw: Draw) -> torch.Tensor:
        given = inputs(draw)
        views = given.train if given.train.dim() == 3 else given.train.unsqueeze(1)
        train = label_views(views, draw.targets, course.class_names)
        val = None
        if given.val is not None and course.val_targets is not None:
            val = LabelledFeatures(given.val, course.val_targets, course.class_names)
        if course.texts is not None:
            head = text_head(course.texts, val or train.judging())
        else:
            head = fit_head(train, val, course.head.model_copy(update={"seed": draw.seed}), course.kind)
        return head.named(head.probabilities(given.test))

    return learn


def frozen_learner(features: Inputs[torch.Tensor], course: Course) -> Learner:
    """The learner of the model itself: a head on the cached features, float32 [N, V, D] in train, [N, D] elsewhere."""
    return head_learner(lambda draw: features.taken(draw.rows), course)


def plain_learner(examples: Inputs[Batch], course: Course, preprocessing: Preprocessing) -> Learner:
    """Logistic regression without a backbone, on `Kind.plain_features`; preprocessing: of the examples, see `Kind.plain_preprocessing`."""
    kind = kind_of(preprocessing)
    flat = examples.map(lambda batch: kind.plain_features(preprocessing.normalise(batch)))
    return head_learner(lambda draw: flat.taken(draw.rows), replace(course, kind="linear"))


def random_backbone_learner(examples: Inputs[Batch], course: Course, backbone: Backbone, layer: str) -> Learner:
    """A head on features of the same architecture with random weights, cut at the same layer."""

    def inputs(draw: Draw) -> Inputs[torch.Tensor]:
        random = backbone.randomised(draw.seed)
        return examples.taken(draw.rows).map(lambda batch: random.features(batch)[layer].clone())

    return head_learner(inputs, course)


def scratch_learner(
    examples: Inputs[Batch], course: Course, backbone: Backbone, settings: ScratchSettings | None = None
) -> Learner:
    """The same architecture, wholly trained from random weights.

    Thresholds are tuned on validation, or on a fifth of the rows by a network that was trained without them.
    """
    scratch = backbone.kind.scratch(backbone.preprocessing)

    def fit(batch: Batch, targets: torch.Tensor, seed: int) -> Answering:
        target = target_of_targets(targets)
        model = train_scratch(
            batch,
            targets,
            loss=lambda logits, wanted, smoothing: target.mean_loss(logits, wanted, None, smoothing),
            build=lambda classes: OneAnswer(backbone.build(classes, seed), backbone.preprocessing),
            num_classes=len(course.class_names),
            scratch=scratch,
            seed=seed,
            settings=settings,
        )
        return lambda these: target.probabilities(predict_logits(model, these, scratch))

    def learn(draw: Draw) -> torch.Tensor:
        batch, target = taken(examples.train, draw.rows), target_of_targets(draw.targets)
        model = fit(batch, draw.targets, draw.seed)
        thresholds = target.undecided(len(course.class_names))
        if thresholds is not None:
            judge, rows, truth = _judge(draw, model, fit, examples, course)
            thresholds = target.decide(judge(rows), truth) if len(truth) else thresholds
        return target.named(model(examples.test), thresholds)

    return learn


Answering = Callable[[Batch], torch.Tensor]
"""A function from prepared examples to their probabilities, float32 [N, C]."""
Training = Callable[[Batch, torch.Tensor, int], Answering]
"""A function that learns from prepared examples and their targets, with a seed."""


def _judge(
    draw: Draw, model: Answering, fit: Training, examples: Inputs[Batch], course: Course
) -> tuple[Answering, Batch, torch.Tensor]:
    """A model, and examples with their targets that it has not seen; no examples if none can be held out."""
    if examples.val is not None and course.val_targets is not None:
        return model, examples.val, course.val_targets
    fold = target_of_targets(draw.targets).folds(draw.targets, count=FOLDS, seed=draw.seed)
    kept, held_out = (fold != 0).nonzero().flatten(), (fold == 0).nonzero().flatten()
    batch = taken(examples.train, draw.rows)
    judge = fit(taken(batch, kept), draw.targets[kept], draw.seed) if len(held_out) else model
    return judge, taken(batch, held_out), draw.targets[held_out]
