"""Near-copies across splits."""

import pytest
import torch
import torch.nn.functional as F

from thaw.heads.standardisation import fit_standardisation
from thaw.review import duplicates
from thaw.review.duplicates import RANK, SHARE, find_near_duplicates


def noise(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 64, generator=torch.Generator().manual_seed(seed))


def test_near_copies_across_splits_are_found_and_nothing_else() -> None:
    features, splits = noise(300), torch.arange(300) % 3
    features[100] = features[0] + 0.1 * noise(1, 1)[0]  # of another split
    features[200] = features[2] + 0.2 * noise(1, 2)[0]
    features[3] = features[6]  # of the same split
    assert [(pair.first, pair.second) for pair in find_near_duplicates(features, splits)] == [(0, 100)]
    features[201] = features[2] + 0.1 * noise(1, 2)[0]
    found = find_near_duplicates(features, splits)
    assert [(pair.first, pair.second) for pair in found] == [(0, 100), (2, 201)] or splits[2] == splits[200]
    assert all(0.9 < pair.similarity <= 1 for pair in found)


@pytest.mark.parametrize("size", [1, 50, 10**6])
def test_blocks_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features, splits = noise(120), (torch.arange(120) > 80).long()
    features[90:100] = features[:10] + 0.05 * noise(10, 3)
    expected = by_all_pairs(features, splits)
    monkeypatch.setattr(duplicates, "SIMILARITIES", size)
    assert {(pair.first, pair.second) for pair in find_near_duplicates(features, splits)} == expected
    assert len(expected) == 10


def by_all_pairs(features: torch.Tensor, splits: torch.Tensor) -> set[tuple[int, int]]:
    rows = F.normalize(fit_standardisation(features).apply(features))
    apart = torch.where(splits[:, None] == splits, torch.inf, 1 - rows @ rows.T)
    scale = apart.sort(1).values[:, RANK - 1]
    near = apart <= SHARE * torch.minimum(scale[:, None], scale)
    return {(first, second) for first, second in near.nonzero().tolist() if first < second}


def test_the_scale_of_the_features_does_not_matter() -> None:
    features, splits = noise(200), torch.arange(200) % 2
    features[11] = features[0] + 0.05 * noise(1, 1)[0]
    assert find_near_duplicates(features * 1000 + 7, splits)[0].second == 11


def test_a_picture_with_many_copies_is_found_with_all_near_ones() -> None:
    features, splits = noise(200), torch.arange(200) % 2
    features[100:140] = features[0]  # more copies than `RANK`: the scale is 0
    found = find_near_duplicates(features, splits)
    assert found and all(features[pair.first].equal(features[pair.second]) for pair in found)


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_few_rows_are_no_error(rows: int) -> None:
    assert find_near_duplicates(noise(rows), torch.arange(rows) % 2) == []
    assert find_near_duplicates(noise(rows), torch.zeros(rows, dtype=torch.int64)) == []


def test_progress_ends_at_all_rows() -> None:
    told: list[tuple[int, int]] = []
    find_near_duplicates(noise(30), torch.arange(30) % 2, lambda done, total: told.append((done, total)))
    assert told[-1] == (30, 30)
