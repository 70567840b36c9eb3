"""Baselines: other ways to learn from the same labelled images, each a learner of `thaw.strategies.baselines.transfer_gain`."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from thaw.backbones.backbone import Backbone
from thaw.heads import fit_head
from thaw.kinds.images.tensors import flat_pixels
from thaw.params.sections import HeadParams
from thaw.params.strategy import HeadKind
from thaw.strategies.baselines.from_scratch import ScratchSettings, predict_logits, train_scratch
from thaw.strategies.baselines.transfer_gain import Draw, Learner
from thaw.targets.labelled import LabelledFeatures, label_views
from thaw.targets.target import target_of_targets

MAJORITY, PIXELS, RANDOM_BACKBONE, SCRATCH = "majority", "pixels", "random_backbone", "scratch"

BATCH = 64
FOLDS = 5
"""Without validation one part in so many is held out, where something must be tuned."""


@dataclass(frozen=True)
class Inputs:
    """The same images in one form, row for row: tensors of any shape [N, ...]; `val` None: there is no validation split.

    `train` holds the rows that a draw picks from, or just the drawn ones after `taken`.
    """

    train: torch.Tensor
    val: torch.Tensor | None
    test: torch.Tensor

    def taken(self, rows: torch.Tensor) -> "Inputs":
        """Only these rows of `train`."""
        return Inputs(self.train[rows], self.val, self.test)

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Inputs":
        """`change` applied to each tensor, in batches of rows."""

        def batched(tensor: torch.Tensor) -> torch.Tensor:
            return torch.cat([change(part) for part in tensor.split(BATCH)])

        return Inputs(batched(self.train), None if self.val is None else batched(self.val), batched(self.test))


@dataclass(frozen=True)
class Course:
    """What a learner is given beside its inputs: the classes, the targets of validation, how heads are fitted, and their kind."""

    class_names: tuple[str, ...]
    val_targets: torch.Tensor | None
    head: HeadParams
    kind: HeadKind = "linear"


def head_learner(inputs: Callable[[Draw], Inputs], course: Course) -> Learner:
    """Fits a head on the float32 [N, D], or [N, V, D] of views to train on, that `inputs` gives for a draw; the draw's seed is also the head's."""

    def learn(draw: Draw) -> torch.Tensor:
        given = inputs(draw)
        views = given.train if given.train.dim() == 3 else given.train.unsqueeze(1)
        train = label_views(views, draw.targets, course.class_names)
        val = None
        if given.val is not None and course.val_targets is not None:
            val = LabelledFeatures(given.val, course.val_targets, course.class_names)
        head = fit_head(train, val, course.head.model_copy(update={"seed": draw.seed}), course.kind)
        return head.named(head.probabilities(given.test))

    return learn


def frozen_learner(features: Inputs, course: Course) -> Learner:
    """The model's own way: a head on the cached features, float32 [N, V, D] in train, [N, D] elsewhere."""
    return head_learner(lambda draw: features.taken(draw.rows), course)


def pixels_learner(images: Inputs, course: Course) -> Learner:
    """Logistic regression on raw pixels; images: uint8 [N, 3, H, W]."""
    flat = images.map(flat_pixels)
    return head_learner(lambda draw: flat.taken(draw.rows), replace(course, kind="linear"))


def random_backbone_learner(images: Inputs, course: Course, backbone: Backbone, layer: str) -> Learner:
    """A head on features of the same architecture with random weights, cut at the same layer; images: uint8 [N, 3, H, W]."""

    def inputs(draw: Draw) -> Inputs:
        random = backbone.randomised(draw.seed)
        return images.taken(draw.rows).map(lambda batch: random.features(batch)[layer].clone())

    return head_learner(inputs, course)


def scratch_learner(
    images: Inputs, course: Course, backbone: Backbone, settings: ScratchSettings | None = None
) -> Learner:
    """The same architecture, trained whole from random weights; images: uint8 [N, 3, H, W].

    Where thresholds are tuned, that is on validation, or on a fifth of the rows by a network that has not seen them.
    """
    mean, std = backbone.preprocessing.mean, backbone.preprocessing.std

    def fit(pixels: torch.Tensor, targets: torch.Tensor, seed: int) -> Answering:
        target = target_of_targets(targets)
        model = train_scratch(
            pixels,
            targets,
            loss=lambda logits, wanted, smoothing: target.mean_loss(logits, wanted, None, smoothing),
            build=lambda classes: backbone.build(classes, seed),
            num_classes=len(course.class_names),
            mean=mean,
            std=std,
            seed=seed,
            settings=settings,
        )
        return lambda these: target.probabilities(predict_logits(model, these, mean=mean, std=std))

    def learn(draw: Draw) -> torch.Tensor:
        pixels, target = images.train[draw.rows], target_of_targets(draw.targets)
        model = fit(pixels, draw.targets, draw.seed)
        thresholds = target.undecided(len(course.class_names))
        if thresholds is not None:
            judge, rows, truth = _judge(draw, model, fit, images, course)
            thresholds = target.decide(judge(rows), truth) if len(truth) else thresholds
        return target.named(model(images.test), thresholds)

    return learn


Answering = Callable[[torch.Tensor], torch.Tensor]
"""Prepared examples to their probabilities, float32 [N, C]."""
Training = Callable[[torch.Tensor, torch.Tensor, int], Answering]
"""Learns from prepared examples and their targets, with a seed."""


def _judge(
    draw: Draw, model: Answering, fit: Training, images: Inputs, course: Course
) -> tuple[Answering, torch.Tensor, torch.Tensor]:
    """A model, and examples that it has not seen with their targets; none where nothing can be held out."""
    if images.val is not None and course.val_targets is not None:
        return model, images.val, course.val_targets
    fold = target_of_targets(draw.targets).folds(draw.targets, count=FOLDS, seed=draw.seed)
    kept, held_out = (fold != 0).nonzero().flatten(), (fold == 0).nonzero().flatten()
    pixels = images.train[draw.rows]
    judge = fit(pixels[kept], draw.targets[kept], draw.seed) if len(held_out) else model
    return judge, pixels[held_out], draw.targets[held_out]
