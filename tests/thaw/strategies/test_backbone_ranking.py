"""Backbones ranked by what their features know of real handwriting."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from advised import DIGITS, HEAD, coarse, handwriting
from written import written

from thaw.evaluation.backbone_ranking.page import render_ranking
from thaw.foundation.errors import BadManifest
from thaw.kinds.registry import UNSTATED, kind_named
from thaw.models.prices import Price
from thaw.strategies.advice.out_of_fold import Fitting
from thaw.strategies.backbone_ranking import (
    Entrant,
    Judges,
    Ranked,
    Ranking,
    Unranked,
    rank_backbones,
    write_ranking,
)

PIXELS, TARGETS = handwriting(12)
JUDGES = Judges(TARGETS, DIGITS)


def entrant(name: str, features: torch.Tensor, megabytes: float = 1.0, operations: float = 1e6) -> Entrant:
    price = Price(megabytes, 100.0)
    return Entrant(name, f"{name}.pth", "resnet18", "flatten", features, price, len(features), 0.5, operations)


def ranked(*entrants: Entrant) -> tuple[Ranked, ...]:
    return rank_backbones(entrants, JUDGES, Fitting(HEAD), repeats=2)[1]


def test_features_that_know_more_come_first_by_more_than_their_interval() -> None:
    best, other = ranked(entrant("coarse", coarse(PIXELS)), entrant("fine", PIXELS))
    assert (best.name, other.name) == ("fine", "coarse")
    assert best.behind_best is None and not best.undecided
    assert other.behind_best is not None and other.behind_best.high < 0 and not other.undecided
    assert other.behind_best.value == pytest.approx(other.accuracy.value - best.accuracy.value)
    assert best.log_me is not None and other.log_me is not None
    assert best.log_me.value > other.log_me.value and best.log_me.z is not None and best.log_me.z > 3
    assert (best.dim, other.dim) == (64, 4)


def test_bags_are_ranked_beside_features() -> None:
    darkest = PIXELS.topk(12, dim=1).indices.int()
    best, other = ranked(entrant("coarse", coarse(PIXELS)), replace(entrant("bags", darkest), architecture="plain"))
    assert (best.name, best.is_plain, other.is_plain) == ("bags", True, False)
    assert best.log_me is None and best.dim == len(darkest.unique())


def test_equal_ones_cannot_be_told_apart_and_the_smaller_comes_first() -> None:
    best, other = ranked(entrant("large", PIXELS, 9.0), entrant("small", PIXELS, 2.0))
    assert (best.name, other.name) == ("small", "large")
    assert other.undecided


def test_the_cheapest_that_is_about_as_good_is_recommended_and_the_front_holds_what_nothing_beats_in_both() -> None:
    entrants = (
        entrant("dear", PIXELS, 9.0, 8e9),
        entrant("cheap", PIXELS, 2.0, 1e6),
        entrant("poor", PIXELS[:, :1], 1.0, 1e3),
    )
    ranking = Ranking(120, 120, 3, 2, 0.95, ranked(*entrants, entrant("dull", coarse(PIXELS), 9.0, 8e9)), ())
    assert ranking.recommended.name == "cheap"
    assert {one.name for one in ranking.backbones if one.on_front} == {"cheap", "poor"}
    page = render_ranking(
        replace(ranking, left_out=(Unranked("<huge>", "for want of time"),)), "digits", kind_named(UNSTATED).words
    )
    assert "Take cheap: nothing cheaper" in page or "Take cheap: it is about as good as the best one" in page
    assert "&lt;huge&gt;" in page and page.count("(front)") == 2 and 'id="front-' in page


def test_rows_that_only_judge_are_not_learnt_from() -> None:
    learns = torch.arange(len(TARGETS)) % 2 == 0
    judges = Judges(TARGETS, DIGITS, learns=learns)
    wrong = TARGETS.clone()
    wrong[~learns] = (wrong[~learns] + 1) % 10
    cheated = Judges(wrong, DIGITS, learns=learns)
    both = [rank_backbones([entrant("one", PIXELS)], each, Fitting(HEAD), repeats=1) for each in (judges, cheated)]
    (rows, (honest,)), (_, (misled,)) = both
    assert rows == len(TARGETS)
    assert misled.accuracy.value < honest.accuracy.value - 0.2


def test_with_one_image_a_class_nothing_can_be_judged() -> None:
    with pytest.raises(BadManifest, match="label more"):
        rank_backbones([entrant("one", PIXELS[:2])], Judges(torch.tensor([0, 1]), ("a", "b")), Fitting(HEAD), repeats=1)


def test_the_record_holds_all_of_it(tmp_path: Path) -> None:
    ranking = Ranking(120, 130, 3, 2, 0.95, ranked(entrant("one", PIXELS)), (Unranked("two", "no such weights"),))
    write_ranking(ranking, tmp_path / "ranking.json")
    assert written(Ranking, tmp_path / "ranking.json") == ranking
