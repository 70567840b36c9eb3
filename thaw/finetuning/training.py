"""The training loop: epochs over a feed, a checkpoint after each, and the choice of the best epoch on held-out examples.

Lightning Fabric handles the device, the precision and the sharing of a step between processes. All random numbers follow from the seed and the number of the
epoch, so a killed training continues to the same numbers as an uninterrupted one.
"""

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from thaw.finetuning.checkpoint import State, load_optimiser, optimiser_tensors, read_state, write_state
from thaw.finetuning.feeds import Feed
from thaw.finetuning.groups import Group, rate_at
from thaw.finetuning.network import ThawedPart
from thaw.finetuning.result import Epoch
from thaw.finetuning.schedule import update_average
from thaw.foundation.parallel.progress import Progress, untold
from thaw.params.sections import FinetuneParams
from thaw.targets.target import target_of_targets

if TYPE_CHECKING:
    from lightning_fabric import Fabric  # a second to import; only what trains pays for it

LARGE = 2**20
"""A number above that of all epochs, so that no two epochs share a seed."""
LEAST_STEPS = 10
"""The least number of steps of an epoch; with few examples an epoch has several passes, so that it is not judged and checkpointed after a step or two."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples for training or for judging. targets: int64 [N] or bool [N, C], row for row with the feed."""

    feed: Feed
    targets: Tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """One training. val: the examples that epochs are judged on; None: no example is held out, and the last epoch is taken.

    class_weights: see `Target.weights`. epochs: the number after which it ends; the learning rate falls as in a training of `params.epochs`.
    checkpoint: the file of its state.
    """

    part: ThawedPart
    groups: Sequence[Group]
    train: Examples
    val: Examples | None
    class_weights: Tensor
    epochs: int
    params: FinetuneParams
    checkpoint: Path


def train(fabric: "Fabric", plan: Plan, progress: Progress = untold) -> State:
    """Train by the plan, from the checkpoint if there is one; the returned state has the best epoch's weights.

    Epoch 0, before any training, takes part in the choice, so a training that does not help leaves the model unchanged. progress counts epochs.
    """
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        return _Training(fabric, plan).run(progress)


def steps_of(rows: int, batch_size: int) -> int:
    """The steps of an epoch."""
    once = max(1, round(rows / batch_size))
    return once * math.ceil(LEAST_STEPS / once)


def _batches(rows: int, batch_size: int) -> list[Tensor]:
    """The rows of each step of an epoch, drawn by torch's global generator; no row repeats before every row has occurred."""
    once = max(1, round(rows / batch_size))
    passes = steps_of(rows, batch_size) // once
    return [batch for _ in range(passes) for batch in torch.randperm(rows).chunk(once)]


def time_steps(fabric: "Fabric", plan: Plan, steps: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """The mean time of a step in seconds by the clock, after one step for warming up. The steps change the weights of the plan's network."""
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        return _Training(fabric, plan).time(steps, clock)


class _Training:
    """The mutable part of a training: weights, optimiser, average, and the state after the last whole epoch."""

    def __init__(self, fabric: "Fabric", plan: Plan) -> None:
        self._fabric, self._plan = fabric, plan
        self._optimiser = torch.optim.AdamW(
            [
                {"params": list(group.parameters), "lr": group.rate, "weight_decay": group.weight_decay}
                for group in plan.groups
            ]
        )
        self._module: Any
        self._module, self._wrapped = fabric.setup(plan.part, self._optimiser)
        self._average = copy.deepcopy(plan.part)
        self._weights = plan.class_weights.to(fabric.device)
        self._target = target_of_targets(plan.train.targets)

    def run(self, progress: Progress) -> State:
        state = read_state(self._plan.checkpoint)
        if state is None:
            state = self._begin()
        else:
            self._resume(state)
        while state.epoch < self._plan.epochs and not self._is_idle(state):
            state = self._epoch(state)
            if self._fabric.is_global_zero:
                write_state(state, self._plan.checkpoint)
            self._fabric.barrier()
            progress(state.epoch, self._plan.epochs)
        progress(self._plan.epochs, self._plan.epochs)
        return state

    def time(self, steps: int, clock: Callable[[], float]) -> float:
        rows = torch.arange(len(self._plan.train.feed))
        self._module.train()
        self._step(rows, rows)
        start = clock()
        for _ in range(steps):
            self._step(rows, rows)
        return (clock() - start) / steps

    def _is_idle(self, state: State) -> bool:
        return self._plan.val is not None and state.epoch - state.best_epoch >= self._plan.params.patience

    def _begin(self) -> State:
        start, logits, tensors = time.perf_counter(), self._judge(), _tensors(self._plan.part)
        seconds = time.perf_counter() - start
        return State(
            history=(self._record(0, None, logits, seconds),),
            best_epoch=0,
            model=tensors,
            average=tensors,
            best=tensors,
            optimiser={},
            logits=logits,
        )

    def _resume(self, state: State) -> None:
        self._plan.part.load_state_dict(dict(state.model))
        self._average.load_state_dict(dict(state.average))
        load_optimiser(self._optimiser, state.optimiser)

    def _epoch(self, state: State) -> State:
        start, number = time.perf_counter(), state.epoch + 1
        loss = self._learn(number)
        logits = self._judge()
        record = self._record(number, loss, logits, time.perf_counter() - start)
        average, best = _tensors(self._average), state.history[state.best_epoch].val_loss
        better = record.val_loss is None or best is None or record.val_loss < best
        return State(
            history=(*state.history, record),
            best_epoch=number if better else state.best_epoch,
            model=_tensors(self._plan.part),
            average=average,
            best=average if better else state.best,
            optimiser=optimiser_tensors(self._optimiser),
            logits=logits if better else state.logits,
        )

    def _learn(self, number: int) -> float:
        """One epoch over the training examples; returns their mean loss."""
        params, train = self._plan.params, self._plan.train
        torch.manual_seed(params.seed * LARGE + number)
        batches = _batches(len(train.feed), params.batch_size)
        rank, processes = self._fabric.global_rank, self._fabric.world_size
        torch.manual_seed((params.seed * LARGE + number) * processes + rank)
        self._module.train()
        total = 0.0
        for place, batch in enumerate(batches):
            step = (number - 1) * len(batches) + place
            for settings, group in zip(self._optimiser.param_groups, self._plan.groups, strict=True):
                settings["lr"] = rate_at(group, step, params.epochs * len(batches), epoch=number, params=params)
            total += self._step(batch[rank::processes], batch) * len(batch)
            decay = min(params.average, (1 + step) / (10 + step))
            update_average(self._average, self._plan.part, decay)
        return total / sum(len(batch) for batch in batches)

    def _step(self, rows: Tensor, batch: Tensor) -> float:
        """One step on a batch, of which this process has the rows `rows`; returns the batch's mean loss."""
        train, smoothing = self._plan.train, self._plan.params.label_smoothing
        with self._fabric.autocast():
            inputs, targets = train.feed.drawn(rows, train.targets[rows], self._fabric.device)
        # The mean is over the whole batch, across all processes. Mixed targets weigh one each, as in torch's own mean.
        mixed = targets.is_floating_point()
        weight = float(len(batch)) if mixed else self._target.weight_of(train.targets[batch], self._plan.class_weights)
        summed = self._target.summed_loss(self._module(inputs), targets, self._weights, smoothing)
        loss = summed * (self._fabric.world_size / weight)
        self._wrapped.zero_grad()
        self._fabric.backward(loss)
        self._wrapped.step()
        mean = self._fabric.all_reduce(loss.detach(), reduce_op="mean")
        assert isinstance(mean, Tensor)
        return float(mean)

    def _judge(self) -> Tensor:
        """The averaged network's logits of the held-out examples, float32 [N, C] on the CPU; [0, C] without them."""
        val = self._plan.val
        if val is None:
            return torch.zeros(0, self._weights.shape[-1])
        # One process decides, because statistics of batch normalisation may differ a little between processes, and all must stop together.
        logits = torch.zeros(0)
        if self._fabric.is_global_zero:
            logits = predict(self._fabric, self._average, val.feed, self._plan.params.batch_size)
        return self._fabric.broadcast(logits)

    def _record(self, number: int, loss: float | None, logits: Tensor, seconds: float) -> Epoch:
        if self._plan.val is None:
            return Epoch(number, loss, None, None, seconds)
        targets = self._plan.val.targets
        weights = self._plan.class_weights
        val_loss = float(self._target.mean_loss(logits, targets, weights))
        return Epoch(number, loss, val_loss, self._target.losses(logits, targets, weights).accuracy, seconds)


def predict(fabric: "Fabric", part: ThawedPart, feed: Feed, batch_size: int) -> Tensor:
    """The logits of every row of a feed, float32 [N, C] on the CPU."""
    part.eval()
    rows = torch.arange(len(feed))
    with torch.inference_mode(), fabric.autocast():
        logits = [part(feed.plain(batch, fabric.device)).float().cpu() for batch in rows.split(2 * batch_size)]
    return torch.cat(logits)


def _tensors(part: ThawedPart) -> dict[str, Tensor]:
    """A copy of the weights and statistics, on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in part.state_dict().items()}
