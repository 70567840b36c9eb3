"""Leaving a source out: what is learnt from, what is judged, and what one more source can expect."""

import numpy as np
import pytest
import torch

from thaw.foundation.errors import BadManifest
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads import fit_head
from thaw.params.sections import HeadParams
from thaw.strategies.across_sources import Across, SourcedRows, compare_across, expected_of
from thaw.targets.labelled import LabelledFeatures

PARAMS = HeadParams(l2=(1e-2,), folds=3)


def rows(sets: bool = False, groups: torch.Tensor | None = None, shift: float = 0.0) -> SourcedRows:
    """Two classes that all sources show alike, but for `south`, where a second feature is shifted; 5 rows state no source."""
    random = torch.Generator().manual_seed(0)
    targets = torch.arange(125) % 2
    features = torch.randn(125, 2, generator=random) + 4.0 * targets[:, None]
    sources: tuple[str | None, ...] = ("north",) * 40 + ("south",) * 40 + ("west",) * 40 + (None,) * 5
    features[40:80] += shift
    shown = torch.stack([targets == 0, targets == 1], 1) if sets else targets
    return SourcedRows(LabelledFeatures(features, shown, ("a", "b"), groups), sources)


def across(given: SourcedRows) -> Across:
    return compare_across("site", given, PARAMS, lambda train: fit_head(train, None, PARAMS), Resampling(100))


@pytest.mark.parametrize("sets", [False, True])
def test_a_source_that_is_unlike_the_others_loses_where_it_is_unseen(sets: bool) -> None:
    found = across(rows(sets, shift=-4.0))
    by_name = {each.source: each for each in found.sources}
    assert list(by_name) == ["north", "south", "west"] and found.unstated == 5 and not found.left_out
    assert by_name["south"].unseen.value < 0.65 < by_name["north"].unseen.value
    assert by_name["south"].loss.value == pytest.approx(by_name["south"].seen.value - by_name["south"].unseen.value)
    assert found.target == ("label_sets" if sets else "one_label")
    assert found.expected.low < 0.6 and found.expected.high == 1


def test_sources_that_are_alike_promise_another_one_the_same() -> None:
    found = across(rows())
    assert found.expected.value > 0.95 and found.expected.low > 0.85
    assert all(each.loss.low <= 0 <= each.loss.high for each in found.sources)


def test_the_rows_of_a_group_in_two_sources_are_not_learnt_from_where_one_of_them_is_left_out() -> None:
    groups = torch.arange(125)
    groups[80:120] = groups[0:40]  # north and west are of the same people, so each learns from south alone
    targets = torch.arange(125) % 2
    features = torch.randn(125, 2, generator=torch.Generator().manual_seed(0)) + 4.0 * targets[:, None]
    features[40:80] *= -1  # the other way round
    sources = rows().sources
    found = across(SourcedRows(LabelledFeatures(features, targets, ("a", "b"), groups), sources))
    assert {each.source: each.unseen.value < 0.65 for each in found.sources} == {
        "north": True,
        "south": True,
        "west": True,
    }


def test_a_source_that_alone_shows_a_class_cannot_be_left_out() -> None:
    given = rows()
    targets = given.labelled.targets.clone()
    targets[:40] = torch.arange(40) % 3
    found = across(SourcedRows(LabelledFeatures(given.labelled.features, targets, ("a", "b", "c")), given.sources))
    assert [(each.source, each.reason) for each in found.left_out] == [("north", "no other source shows c")]
    assert len(found.sources) == 2


def test_one_source_says_nothing_of_another() -> None:
    given = rows()
    with pytest.raises(BadManifest, match="has 0 sources that can be left out"):
        across(SourcedRows(given.labelled, ("north",) * 125))


def test_a_source_of_one_group_has_no_interval() -> None:
    groups = torch.arange(125)
    groups[:40] = 0
    found = across(rows(groups=groups))
    assert (found.sources[0].groups, found.sources[0].unseen.low, found.sources[0].unseen.high) == (1, 0, 1)


def test_the_expectation_holds_for_a_new_source_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(400):
        values = np.clip(random.normal(0.8, 0.05, 5), 0, 1)
        found = expected_of(values[:4].tolist(), 0.9)
        covered += found.low <= values[4] <= found.high
    assert 0.86 < covered / 400 < 0.94
