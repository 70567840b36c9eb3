"""Fine-tuning from end to end, on real digits and the embedded backbone."""

import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import killed_finetuning
import pytest
import torch
from digit_images import desk_in, digit_images, embedded, features_of, start_on

from thaw.finetuning.fitting import Start, finetune
from thaw.finetuning.result import FineTuned
from thaw.foundation.errors import BadParameters
from thaw.heads import fit_head
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy, StrategyKind

SUPPORT = Path(killed_finetuning.__file__)
QUICK = {"epochs": 3, "batch_size": 16, "precision": "float32"}


def tune(
    folder: Path,
    kind: StrategyKind = "last_blocks",
    *,
    start: Start | None = None,
    val: LabelledInputs | None = None,
    blocks: int = 1,
    **params: object,
) -> FineTuned:
    images = digit_images(0, 60)
    strategy = Strategy(kind, embedded().layers[-1], blocks if kind == "last_blocks" else None)
    settings = FinetuneParams.model_validate({**QUICK, **params})
    return finetune(start or start_on(images), images, val, strategy, settings, desk=desk_in(folder))


def accuracy(predictor: Predictor, images: LabelledInputs) -> float:
    predicted = torch.from_numpy(predictor.probabilities(list(images.inputs))).argmax(1)
    return float((predicted == images.targets).float().mean())


def changed(model: FineTuned) -> set[str]:
    old, new = embedded().model.state_dict(), model.predictor.backbone.model.state_dict()
    return {name for name in old if not torch.equal(old[name], new[name])}


def test_what_is_frozen_stays_bit_identical_and_what_is_thawed_moves(tmp_path: Path) -> None:
    # A head that knows nothing has something to learn.
    start = _ignorant()
    model = tune(tmp_path, start=start, val=digit_images(60, 60), learning_rate=0.01)
    assert model.epochs > 0 and model.thawed == 1
    assert changed(model) and all(name.startswith("layer3.") for name in changed(model))
    assert not any("running" in name for name in changed(model))
    assert model.history[model.epochs].val_loss < model.history[0].val_loss  # type: ignore[operator]
    assert embedded().is_unchanged()


def _ignorant() -> Start:
    start = start_on(digit_images(0, 60))
    weights = torch.zeros_like(start.head.model.weights)  # type: ignore[union-attr]
    head = replace(start.head, model=replace(start.head.model, weights=weights))
    return replace(start, head=head, refit=lambda rows: head)


def test_a_training_that_does_not_help_changes_nothing(tmp_path: Path) -> None:
    start, val = start_on(digit_images(0, 60)), digit_images(60, 60)
    ruinous = tune(tmp_path, start=start, val=val, learning_rate=100.0, average=0, warmup=0.0)
    assert ruinous.epochs == 0 and not changed(ruinous)
    features = features_of(embedded(), val).features
    assert torch.equal(ruinous.predictor.head.logits(features), start.head.logits(features))
    assert ruinous.predictor.head.temperature > 0


def test_patience_ends_a_training(tmp_path: Path) -> None:
    model = tune(tmp_path, val=digit_images(60, 60), learning_rate=100.0, average=0, warmup=0.0, epochs=9, patience=2)
    assert [epoch.number for epoch in model.history] == [0, 1, 2]


def test_without_validation_a_fifth_is_held_out_and_then_all_are_trained_on(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    images, start = digit_images(0, 60), _ignorant()
    strategy = Strategy("last_blocks", embedded().layers[-1], 1)
    params = FinetuneParams.model_validate({**QUICK, "learning_rate": 0.01})
    model = finetune(
        start, images, None, strategy, params, desk=desk_in(tmp_path), progress=lambda *at: seen.append(at)
    )
    assert model.epochs > 0 and accuracy(model.predictor, digit_images(60, 60)) > 0.8
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares) and shares[-1] == 1


def test_what_is_held_out_was_not_seen_by_the_head_either(tmp_path: Path) -> None:
    """Labels by chance can be learnt by heart, and not be told of other images."""
    images = digit_images(0, 60)
    images = replace(images, targets=torch.randint(3, (60,), generator=torch.Generator().manual_seed(0)))
    start = start_on(images)
    known = start.head.logits(features_of(embedded(), images).features).argmax(1) == images.targets
    strategy = Strategy("last_blocks", embedded().layers[-1], 1)
    params = FinetuneParams.model_validate({**QUICK, "learning_rate": 100.0, "average": 0, "warmup": 0.0})
    model = finetune(start, images, None, strategy, params, desk=desk_in(tmp_path))
    assert known.float().mean() > 0.9
    assert model.history[0].val_accuracy < 0.7  # type: ignore[operator]
    # No epoch helped, so the result is the head on all images, with the frozen backbone.
    assert model.epochs == 0 and not changed(model)
    features = features_of(embedded(), images).features
    assert torch.equal(model.predictor.head.logits(features), start.head.logits(features))


def test_one_image_of_each_class_leaves_nothing_to_choose_on(tmp_path: Path) -> None:
    few = digit_images(0, 3)
    strategy = Strategy("full", embedded().layers[-1])
    model = finetune(start_on(few), few, None, strategy, FinetuneParams.model_validate(QUICK), desk=desk_in(tmp_path))
    assert model.epochs == 3 and model.predictor.head.temperature == 1


@pytest.mark.parametrize("blocks", [1, 2])
def test_cached_activations_train_as_the_full_forward_pass_does(tmp_path: Path, blocks: int) -> None:
    same = {"val": digit_images(60, 30), "blocks": blocks, "augment": "none", "learning_rate": 0.003}
    cached = tune(tmp_path / "cached", start=_ignorant(), **same)  # type: ignore[arg-type]
    whole = tune(tmp_path / "whole", start=_ignorant(), activations_mb=1, **same)  # type: ignore[arg-type]
    assert list((tmp_path / "cached/activations").rglob("part-*"))
    assert not (tmp_path / "whole/activations").exists() or blocks == 2
    for one, other in zip(cached.history, whole.history, strict=True):
        assert one.val_loss == pytest.approx(other.val_loss, abs=1e-4)


def test_activations_are_computed_once(tmp_path: Path) -> None:
    tune(tmp_path, learning_rate=0.001)
    parts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*")}
    tune(tmp_path, learning_rate=0.002)
    assert parts == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*")}
    assert len({path.parent.parent for path in parts}) == 2  # the image and its mirror image


def killed_or_whole(warm: Path, folder: Path, *arguments: str) -> int:
    """Run killed_finetuning.py; returns its exit code."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT.parent), str(SUPPORT.parents[2])])}
    command = [str(warm / "forked"), str(SUPPORT), str(folder), *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, warm: Path) -> Path:
    """The model of a run that nobody has killed."""
    folder = tmp_path_factory.mktemp("whole")
    assert killed_or_whole(warm, folder) == 0
    return folder / "model"


@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(4, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_to_the_same_numbers(whole: Path, tmp_path: Path, warm: Path, epoch: int) -> None:
    assert killed_or_whole(warm, tmp_path, str(epoch)) == -signal.SIGKILL
    assert killed_or_whole(warm, tmp_path) == 0
    for name in ("backbone.safetensors", "head.safetensors", "head.json"):
        assert (whole / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_a_finished_run_that_is_asked_for_again_trains_nothing(tmp_path: Path) -> None:
    first = tune(tmp_path, val=digit_images(60, 30))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    again = tune(tmp_path, val=digit_images(60, 30))
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert first.history == again.history
    tune(tmp_path, val=digit_images(60, 30), learning_rate=0.002)
    assert len(list(tmp_path.glob("*.safetensors"))) == len(files) + 1


def test_from_scratch_learns_digits(tmp_path: Path) -> None:
    model = tune(tmp_path, "scratch", val=digit_images(60, 60), scratch={"epochs": 8}, augment="none")
    assert model.thawed == len(model.predictor.backbone.model.state_dict()) or model.thawed > 2
    assert accuracy(model.predictor, digit_images(120, 60)) > 0.8
    assert changed(model) >= {"conv1.weight", "bn1.running_mean", "layer3.0.conv2.weight"}


@pytest.mark.parametrize(
    "options",
    [{"gradual": True}, {"mixup": 0.2, "cutmix": 1.0}, {"augment": "randaugment"}, {"precision": "bfloat16"}],
    ids=str,
)
def test_options_train_to_a_good_model(tmp_path: Path, options: dict[str, object]) -> None:
    model = tune(tmp_path, "full", start=_ignorant(), val=digit_images(60, 60), learning_rate=0.003, **options)  # type: ignore[arg-type]
    assert model.epochs > 0 and accuracy(model.predictor, digit_images(120, 60)) > 0.8


def test_what_comes_out_is_read_back_the_same(tmp_path: Path) -> None:
    model = tune(tmp_path / "desk", start=_ignorant(), val=digit_images(60, 30), learning_rate=0.01)
    model.predictor.write(tmp_path / "model")
    images = list(digit_images(120, 10).inputs)
    again = Predictor.read(tmp_path / "model")
    assert (again.probabilities(images) == model.predictor.probabilities(images)).all()
    card = json.loads((tmp_path / "model/head.json").read_text())
    assert [trial["epochs"] for trial in card["trials"]] == [0, 1, 2, 3]


def test_a_head_of_neighbours_cannot_be_fine_tuned(tmp_path: Path) -> None:
    images = digit_images(0, 60)
    head = fit_head(features_of(embedded(), images), None, HeadParams(), "knn")
    with pytest.raises(BadParameters, match="linear head"):
        tune(tmp_path, start=replace(start_on(images), head=head))


@pytest.mark.slow
def test_two_processes_share_each_step(tmp_path: Path) -> None:
    options = {"val": digit_images(60, 60), "augment": "none", "learning_rate": 0.003}
    shared = tune(tmp_path / "two", "full", start=_ignorant(), devices=2, **options)  # type: ignore[arg-type]
    alone = tune(tmp_path / "one", "full", start=_ignorant(), **options)  # type: ignore[arg-type]
    assert accuracy(shared.predictor, digit_images(120, 60)) > 0.8
    for one, other in zip(shared.history, alone.history, strict=True):
        assert one.val_loss == pytest.approx(other.val_loss, rel=0.01)
