"""Several new layers."""

import pytest
import torch

from thaw.heads.mlp import MlpModel, MlpSettings, averaged, checkpoints, fit_mlps
from thaw.targets.labelled import LabelledFeatures

EVEN = torch.ones(10)


def last(data: LabelledFeatures, settings: MlpSettings) -> list[MlpModel]:
    *_, (_, models) = fit_mlps(data.features, data.targets, class_weights=EVEN, settings=settings)
    return models


def accuracy(model: MlpModel, data: LabelledFeatures) -> float:
    return float((model.logits(data.features).argmax(1) == data.targets).float().mean())


def test_it_learns_handwriting(train: LabelledFeatures, unseen: LabelledFeatures) -> None:
    models = last(train, MlpSettings((64, 32), 0.1, (1e-2, 1.0), 60, 0))
    assert all(accuracy(model, unseen) > 0.88 for model in models)
    assert [tuple(weight.shape) for weight in models[0].weights] == [(64, 64), (64, 32), (32, 10)]


def test_networks_trained_side_by_side_are_as_if_alone(few: LabelledFeatures) -> None:
    together = last(few, MlpSettings((16,), 0.3, (1e-4, 1.0), 8, 3))
    for decay, model in zip((1e-4, 1.0), together, strict=True):
        (alone,) = last(few, MlpSettings((16,), 0.3, (decay,), 8, 3))
        assert torch.allclose(model.logits(few.features), alone.logits(few.features), atol=1e-4)


def test_fewer_epochs_are_the_beginning_of_more(few: LabelledFeatures) -> None:
    settings = MlpSettings((16,), 0.3, (0.1,), 9, 0)
    seen = dict(fit_mlps(few.features, few.targets, class_weights=EVEN, settings=settings))
    (shorter,) = last(few, MlpSettings((16,), 0.3, (0.1,), 4, 0))
    assert torch.allclose(seen[4][0].logits(few.features), shorter.logits(few.features), atol=1e-5)


def test_a_stronger_decay_gives_smaller_weights(few: LabelledFeatures) -> None:
    weak, strong = last(few, MlpSettings((16,), 0.0, (1e-5, 50.0), 20, 0))
    assert strong.weights[0].norm() < weak.weights[0].norm()


def test_the_callers_random_state_is_left_alone_and_the_seed_counts(few: LabelledFeatures) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other = (last(few, MlpSettings((16,), 0.3, (0.1,), 3, seed))[0] for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(one.weights[0], other.weights[0])


def test_checkpoints_grow_and_end_with_the_last_epoch() -> None:
    assert checkpoints(1) == [1]
    assert checkpoints(10) == [1, 2, 3, 4, 6, 8, 10]
    assert all(checkpoints(epochs)[-1] == epochs for epochs in range(1, 200))


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8), (12, 8, 6)])
def test_several_networks_side_by_side_have_the_mean_of_their_logits(
    few: LabelledFeatures, hidden: tuple[int, ...]
) -> None:
    models = [last(few, MlpSettings(hidden, 0.1, (0.1,), 4, seed))[0] for seed in range(3)]
    expected = torch.stack([model.logits(few.features) for model in models]).mean(0)
    torch.testing.assert_close(averaged(models).logits(few.features), expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(models[0].logits(few.features), models[1].logits(few.features)) or not hidden
