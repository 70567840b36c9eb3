"""Nearest neighbours."""

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from thaw.heads import neighbours
from thaw.heads.neighbours import fit_neighbours, logits_of_all
from thaw.heads.standardisation import fit_standardisation
from thaw.targets.labelled import LabelledFeatures

EVEN = torch.ones(10)


def logits(train: LabelledFeatures, features: torch.Tensor, count: int, weights: torch.Tensor = EVEN) -> torch.Tensor:
    (model,) = fit_neighbours(train.features, train.targets, class_weights=weights, neighbours=[count])
    return model.logits(features)


@pytest.mark.parametrize("count", [1, 5])
def test_the_votes_are_scikit_learns(train: LabelledFeatures, unseen: LabelledFeatures, count: int) -> None:
    rows = fit_standardisation(train.features)
    peer = KNeighborsClassifier(count, metric="cosine").fit(rows.apply(train.features), train.targets)
    theirs = torch.tensor(peer.predict_proba(rows.apply(unseen.features))).float()
    votes = logits(train, unseen.features, count).exp() * (count + 1) - 0.1
    assert torch.allclose(votes / count, theirs, atol=1e-5)


def test_logits_are_log_shares_that_are_never_zero(train: LabelledFeatures, val: LabelledFeatures) -> None:
    found = logits(train, val.features, 3)
    assert torch.allclose(found.exp().sum(1), torch.ones(len(val)))
    assert found.isfinite().all()


def test_blocks_change_nothing(train: LabelledFeatures, val: LabelledFeatures, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = logits(train, val.features, 5)
    monkeypatch.setattr(neighbours, "SIMILARITIES", 7 * len(train))
    assert torch.allclose(logits(train, val.features, 5), whole)


@pytest.mark.parametrize("similarities", [neighbours.SIMILARITIES, 999])
def test_one_product_serves_every_number_of_neighbours_and_changes_no_bit(
    train: LabelledFeatures, val: LabelledFeatures, monkeypatch: pytest.MonkeyPatch, similarities: int
) -> None:
    monkeypatch.setattr(neighbours, "SIMILARITIES", similarities)
    counts = [20, 5, 1]
    models = fit_neighbours(train.features, train.targets, class_weights=EVEN, neighbours=counts)
    together = logits_of_all(models, val.features)
    for model, logits in zip(models, together, strict=True):
        assert torch.equal(logits, model.logits_at_once(val.features))


def test_a_vote_for_a_rare_class_weighs_more() -> None:
    train = LabelledFeatures(torch.tensor([[0.0, 1.0], [1.0, 0.9], [0.9, 1.1]]), torch.tensor([0, 1, 1]), ("a", "b"))
    even = logits(train, train.features[:1], 3, torch.ones(2))
    balanced = logits(train, train.features[:1], 3, torch.tensor([3.0, 0.75]))
    assert even.argmax() == 1
    assert balanced.argmax() == 0


def test_more_neighbours_than_rows_are_all_rows(few: LabelledFeatures) -> None:
    assert torch.allclose(logits(few, few.features, 10**6), logits(few, few.features, len(few)))


def test_a_row_of_zeros_and_no_rows_at_all_are_fine(train: LabelledFeatures) -> None:
    mean = fit_standardisation(train.features).mean
    assert logits(train, mean[None], 5).isfinite().all()
    assert logits(train, torch.zeros(0, 64), 5).shape == (0, 10)
