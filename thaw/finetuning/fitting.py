"""Fine-tuning from end to end: start from the head, choose the number of epochs on held-out examples, train on all, calibrate.

Source of the order (first the head, then the layers below it): Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", ICLR 2022, section 3.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from blake3 import blake3
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.devices import has_bfloat16
from thaw.features.store.store import FeatureStore
from thaw.finetuning.activations import frozen_activations, kept_views
from thaw.finetuning.checkpoint import State, read_state
from thaw.finetuning.feeds import ActivationFeed, Feed, InputFeed
from thaw.finetuning.groups import groups_of
from thaw.finetuning.head_layer import new_head
from thaw.finetuning.network import Network, build_network
from thaw.finetuning.result import FineTuned
from thaw.finetuning.training import Examples, Plan, train
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads import FittedHead, Setting, Trial
from thaw.heads.fitted import HeldOut, finish_head
from thaw.heads.logistic import LogisticModel
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy
from thaw.targets.target import target_of_targets

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # a second to import; only what trains pays for it


@dataclass(frozen=True, eq=False)
class Start:
    """The start of a fine-tuning: the frozen backbone, the linear head on one of its layers, and the weights of classes in the loss (`Target.weights`).

    refit: a function that fits the head on some rows of the examples alone, int64 [M]; it is called if some of the examples are held out.
    """

    backbone: Backbone
    head: FittedHead
    class_weights: Tensor
    refit: Callable[[Tensor], FittedHead]


@dataclass(frozen=True)
class Desk:
    """The places of a fine-tuning's state on this machine: its checkpoints, and the frozen part's activations."""

    checkpoints: Path
    activations: FeatureStore

    def checkpoint(self, key: str) -> Path:
        """The file of a training's state."""
        return self.checkpoints / f"{key}.safetensors"

    def clear(self) -> None:
        """Remove the checkpoints after the result is written; activations stay, for a training with other settings."""
        for file in self.checkpoints.glob("*.safetensors"):
            file.unlink(missing_ok=True)


def finetune(
    start: Start,
    examples: LabelledInputs,
    val: LabelledInputs | None,
    strategy: Strategy,
    params: FinetuneParams,
    *,
    desk: Desk,
    progress: Progress = untold,
) -> FineTuned:
    """Train the blocks that the strategy thaws.

    The number of epochs is that of the lowest log loss on `val`. Without `val` a fifth of the examples is held out to find it, in a training that starts from
    a head that has not seen them, and the network is then trained on all examples for that number. The calibration and the thresholds come from the same
    held-out logits. A killed run continues after its last whole epoch, to the same numbers. progress counts epochs.

    Raises:
        BadParameters: the strategy thaws more blocks than there are, or the head is not linear.
    """
    params = settings_of(strategy, params)
    course, first = _Course(start, strategy, params, desk), start
    held_out = val
    learnt, again = examples, False
    if held_out is None:
        fold = _fold(examples, params.seed)
        if len(fold):
            rest = torch.ones(len(examples), dtype=torch.bool).index_fill_(0, fold, False).nonzero()[:, 0]
            learnt, held_out, again = examples.rows(rest), examples.rows(fold), True
            # A head that has seen the held-out examples would judge them too well, and no training could be better than none.
            first = start if strategy.kind == "scratch" else replace(start, head=start.refit(rest))
    shown_progress = _Doubled(progress) if again else progress
    chosen = replace(course, start=first).run(learnt, held_out, params.epochs, shown_progress)
    state, network = chosen.state, chosen.network
    epochs = state.best_epoch if held_out is not None else params.epochs
    if again and epochs:
        refitted = course.run(examples, None, epochs, lambda done, total: progress(total + done, 2 * total))
        state, network = refitted.state, refitted.network
    elif again:
        network = course.network()
        state = replace(state, best=network.part.state_dict())
    judged = None if held_out is None else HeldOut(chosen.state.logits, held_out.targets)
    predictor = _predictor(network, state, start, judged, chosen.state)
    return FineTuned(predictor, network.thawed, epochs, chosen.state.history)


@dataclass(frozen=True, eq=False)
class _Run:
    network: Network
    state: State


@dataclass(frozen=True, eq=False)
class _Course:
    """One strategy with its settings, for trainings on different examples."""

    start: Start
    strategy: Strategy
    params: FinetuneParams
    desk: Desk

    def network(self) -> Network:
        """The network before its training."""
        return build_network(
            self.start.backbone, self.strategy, first_head(self.start.head, self.strategy), self.params
        )

    def run(self, examples: LabelledInputs, val: LabelledInputs | None, epochs: int, progress: Progress) -> _Run:
        """Train a fresh copy of the network; a finished checkpoint costs no computation."""
        network = self.network()
        feed, val_feed = self._feeds(network, examples, val)
        plan = Plan(
            part=network.part,
            groups=groups_of(network, self.params),
            train=Examples(feed, examples.targets),
            val=None if val is None or val_feed is None else Examples(val_feed, val.targets),
            class_weights=self.start.class_weights,
            epochs=epochs,
            params=self.params,
            checkpoint=self.desk.checkpoint(self._key(examples, val, epochs)),
        )
        return _Run(network, launched(self.params, plan, progress))

    def _feeds(
        self, network: Network, examples: LabelledInputs, val: LabelledInputs | None
    ) -> tuple[Feed, Feed | None]:
        judged = 0 if val is None else len(val)
        views = kept_views(network, examples, self.params, learnt=len(examples), judged=judged)
        if views:
            store = self.desk.activations
            feed = ActivationFeed(frozen_activations(network, examples, views, store))
            return feed, None if val is None else ActivationFeed(frozen_activations(network, val, views[:1], store))
        backbone = network.backbone
        mixing = backbone.kind.mixing(self.params.mixup, self.params.cutmix, len(examples.class_names))
        inputs = InputFeed(examples, backbone, network.lower, self.params.augment, mixing)
        return inputs, None if val is None else InputFeed(val, backbone, network.lower, "none")

    def _key(self, examples: LabelledInputs, val: LabelledInputs | None, epochs: int) -> str:
        """A hash of everything that the training depends on; after any change the training starts from the beginning."""
        model = first_head(self.start.head, self.strategy)
        head = blake3(b"".join(part.contiguous().numpy().tobytes() for part in (model.weights, model.bias)))
        rows = [
            [[digest.hex(), target] for digest, target in zip(part.digests, part.targets.tolist(), strict=True)]
            for part in (examples, val)
            if part is not None
        ]
        backbone = self.start.backbone
        described = [
            backbone.fingerprint("float32", "float32"),
            backbone.pooling,
            vars(self.strategy),
            self.params.model_dump(mode="json"),
            head.hexdigest(),
            self.start.class_weights.tolist(),
            rows,
            epochs,
        ]
        return blake3(json.dumps(described).encode()).hexdigest(16)


def build_fabric(params: FinetuneParams) -> "Fabric":
    """The machine's GPUs, or its CPU, with the parameters' number of processes and precision."""
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it reports its precision at each start
    return Fabric(
        accelerator="auto" if torch.cuda.is_available() else "cpu",
        devices=params.devices,
        strategy="ddp_spawn" if params.devices > 1 else "auto",
        precision="bf16-mixed" if _is_bfloat16(params) else "32-true",
    )


def launched(params: FinetuneParams, plan: Plan, progress: Progress = untold) -> State:
    """Train, in this process or in the parameters' number of processes."""
    fabric = build_fabric(params)
    if params.devices == 1:
        return train(fabric, plan, progress)
    fabric.launch(partial(_train_only, plan=plan))
    state = read_state(plan.checkpoint)
    assert state is not None
    return state


def _train_only(fabric: "Fabric", plan: Plan) -> None:
    """Train in one of several processes; the state comes back by the checkpoint, because frozen dataclasses cannot be handed over."""
    # On a CPU the processes would share the memory of the weights, and each of them would take every step.
    for tensor in (*plan.part.parameters(), *plan.part.buffers()):
        tensor.data = tensor.data.clone()
    train(fabric, plan)


def _is_bfloat16(params: FinetuneParams) -> bool:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return params.precision == "bfloat16" or (params.precision == "auto" and has_bfloat16(device))


def first_head(head: FittedHead, strategy: Strategy) -> LogisticModel:
    """The head at the start of the training: the fitted head, or an untrained one for training from scratch.

    Raises:
        BadParameters: the head is not linear.
    """
    if not isinstance(head.model, LogisticModel):
        raise BadParameters(f"fine-tuning starts from a linear head, and this one is {head.kind}")
    classes, dim = head.model.weights.shape
    return new_head(dim, classes) if strategy.kind == "scratch" else head.model


def settings_of(strategy: Strategy, params: FinetuneParams) -> FinetuneParams:
    """The settings of a strategy's training: from scratch all layers learn at one rate, faster and longer, as there is nothing to preserve; adapters learn
    at one rate too, beside weights and statistics that are frozen."""
    match strategy.kind:
        case "scratch":
            own = {**params.scratch.model_dump(), "layer_decay": 1.0, "gradual": False, "batch_norm": "trained"}
        case "lora":
            own = {"learning_rate": params.lora.learning_rate, "layer_decay": 1.0, "batch_norm": "frozen"}
        case _:
            return params
    return params.model_copy(update=own)


FOLDS = 5
"""Without validation examples, one part of this number of parts is held out."""


def _fold(examples: LabelledInputs, seed: int) -> Tensor:
    """The rows to hold out, int64; none if a class has a single example."""
    target = target_of_targets(examples.targets)
    fold = target.folds(examples.targets, count=FOLDS, seed=seed, groups=examples.groups)
    return (fold == 0).nonzero()[:, 0]


class _Doubled:
    """The first of two trainings, in the progress of both."""

    def __init__(self, progress: Callable[[int, int], None]) -> None:
        self._progress = progress

    def __call__(self, done: int, total: int) -> None:
        self._progress(done, 2 * total)


def _predictor(network: Network, state: State, start: Start, held_out: HeldOut | None, chosen: State) -> Predictor:
    """The best epoch's weights as a backbone and a head, calibrated on held-out logits; the trials are the epochs."""
    network.part.load_state_dict(dict(state.best))
    trials = tuple(
        Trial(Setting(epochs=epoch.number), epoch.val_loss, epoch.val_accuracy, epoch.number == chosen.best_epoch)
        for epoch in chosen.history
    )
    head = finish_head(
        network.part.head.model(),
        start.head.class_names,
        start.head.target,
        weights=start.class_weights,
        held_out=held_out,
        trials=trials,
    )
    backbone = network.result()
    return Predictor(backbone, head, backbone.layers[-1])
