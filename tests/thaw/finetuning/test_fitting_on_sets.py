"""Fine-tuning on label sets: pictures of two digits, and the embedded backbone."""

from pathlib import Path

import pytest
import torch
from digit_images import desk_in, embedded, features_of, start_on
from digit_pairs import NAMES, pair_pictures
from sklearn.metrics import f1_score

from thaw.finetuning.fitting import Start, finetune
from thaw.finetuning.pilot import FinetuningPilot
from thaw.finetuning.result import FineTuned
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy, StrategyKind
from thaw.strategies.advice.pool import Fold

QUICK = {"epochs": 6, "batch_size": 32, "precision": "float32", "augment": "none", "learning_rate": 0.005}


def pairs(first: int, count: int) -> LabelledInputs:
    """Some of the pictures as the backbone takes them: uint8 [N, 3, 32, 32], targets bool [N, 10]."""
    pictures, shown = pair_pictures(400)
    rows = slice(first, first + count)
    pixels = torch.from_numpy(pictures[rows]).repeat_interleave(2, 1).repeat_interleave(2, 2)
    digests = tuple(bytes([number // 256, number % 256]) * 16 for number in range(first, first + count))
    batch = pixels[:, None].expand(-1, 3, -1, -1).contiguous()
    return LabelledInputs(batch, torch.arange(count), digests, torch.from_numpy(shown[rows]), NAMES)


@pytest.fixture(scope="module")
def start() -> Start:
    return start_on(pairs(0, 160))


def tune(
    folder: Path, start: Start, kind: StrategyKind = "full", val: LabelledInputs | None = None, **params: object
) -> FineTuned:
    settings = FinetuneParams.model_validate({**QUICK, **params})
    strategy = Strategy(kind, embedded().layers[-1], 1 if kind == "last_blocks" else None)
    return finetune(start, pairs(0, 160), val, strategy, settings, desk=desk_in(folder))


def macro_f1(model: Predictor) -> float:
    unseen = pairs(300, 100)
    return float(f1_score(unseen.targets.numpy(), model.predict(list(unseen.inputs)).named, average="macro"))


def test_every_layer_learns_sets_and_what_is_named_is_tuned_again(tmp_path: Path, start: Start) -> None:
    frozen = Predictor(embedded(), start.head, embedded().layers[-1])
    model = tune(tmp_path, start, val=pairs(160, 100))
    head = model.predictor.head
    assert model.epochs > 0 and head.target_name == "label_sets"
    assert head.thresholds is not None and len(set(head.thresholds)) > 1 and head.shifts is not None
    assert macro_f1(model.predictor) > macro_f1(frozen) + 0.1
    model.predictor.write(tmp_path / "model")
    again = Predictor.read(tmp_path / "model")
    assert (
        again.predict(list(pairs(300, 4).inputs)).named == model.predictor.predict(list(pairs(300, 4).inputs)).named
    ).all()


@pytest.mark.parametrize("kind", ["lora", "scratch"])
def test_without_validation_a_fifth_tells_when_to_stop(tmp_path: Path, start: Start, kind: StrategyKind) -> None:
    model = tune(tmp_path, start, kind, scratch={"epochs": 2})
    assert all(epoch.val_loss is not None and 0 < (epoch.val_accuracy or 0) < 1 for epoch in model.history)
    assert model.predictor.head.thresholds is not None


def test_mixed_and_smoothed_sets_can_be_learnt_from(tmp_path: Path, start: Start) -> None:
    model = tune(tmp_path, start, val=pairs(160, 60), mixup=0.4, label_smoothing=0.1, epochs=1)
    assert len(model.history) == 2 and model.history[1].train_loss is not None


def test_the_pilot_names_sets_of_rows_that_it_has_not_learnt_from(tmp_path: Path) -> None:
    images, layer = pairs(0, 120), embedded().layers[-1]
    pilot = FinetuningPilot(
        embedded(),
        layer,
        lambda: images,
        features_of(embedded(), images),
        HeadParams(l2=(0.01,)),
        FinetuneParams.model_validate({**QUICK, "epochs": 2}),
        desk_in(tmp_path),
    )
    named = pilot.learn(Strategy("last_blocks", layer, 1), Fold(0, torch.arange(80), torch.arange(80, 120)))
    assert named.shape == (40, 10) and named.dtype == torch.bool
    assert (named == images.targets[80:]).float().mean() > 0.6
