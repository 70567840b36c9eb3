"""The pilot: fine-tunes on folds, and foresees what that takes."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from digit_images import desk_in, digit_images, embedded, features_of
from torch import Tensor

from thaw.finetuning.pilot import FinetuningPilot
from thaw.finetuning.training import Plan
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy


@dataclass(frozen=True)
class Fold:
    learn: Tensor
    judge: Tensor


def pilot(folder: Path) -> FinetuningPilot:
    images = digit_images(0, 90)
    params = FinetuneParams(epochs=3, augment="none", precision="float32")
    layer = embedded().layers[-1]
    return FinetuningPilot(
        embedded(),
        layer,
        lambda: images,
        features_of(embedded(), images),
        HeadParams(l2=(0.01,)),
        params,
        desk_in(folder),
    )


def test_it_offers_thawing_from_the_top_down(tmp_path: Path) -> None:
    offered = pilot(tmp_path).strategies
    assert [str(strategy) for strategy in offered] == ["last block", "lora", "full", "last 2 blocks", "scratch"]


def test_it_predicts_rows_that_it_has_not_learnt_from(tmp_path: Path) -> None:
    fold = Fold(torch.arange(60), torch.arange(60, 90))
    named = pilot(tmp_path).learn(Strategy("last_blocks", embedded().layers[-1], 1), fold)
    assert named.shape == (30, 3) and named.dtype == torch.bool
    assert (named.long().argmax(1) == digit_images(60, 30).targets).float().mean() > 0.8


def test_the_foreseen_time_counts_every_step_of_both_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = pilot(tmp_path).seconds(Strategy("last_blocks", embedded().layers[-1], 1), 60)
    assert measured > 0 and not list(tmp_path.glob("*.safetensors"))
    monkeypatch.setattr("thaw.finetuning.pilot.time_steps", lambda *_: 1.0)
    layer = embedded().layers[-1]
    assert pilot(tmp_path).seconds(Strategy("full", layer), 64) == pytest.approx(1.8 * 10 * 3, abs=1)
    assert pilot(tmp_path).seconds(Strategy("scratch", layer), 640) == pytest.approx(1.8 * 20 * 60, abs=1)


def test_what_is_kept_of_frozen_layers_is_not_counted_in_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[str] = []

    def step(fabric: object, plan: Plan, steps: int, clock: object) -> float:
        fed.append(type(plan.train.feed).__name__)
        return 1.0

    monkeypatch.setattr("thaw.finetuning.pilot.time_steps", step)
    for kind, blocks in (("last_blocks", 1), ("full", None)):
        pilot(tmp_path).seconds(Strategy(kind, embedded().layers[-1], blocks), 60)  # type: ignore[arg-type]
    assert fed == ["ActivationFeed", "InputFeed"]
