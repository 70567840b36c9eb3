"""Classes are left out in turn: every row is unknown once, known once, and never judged by a model that saw it or, when unknown, its class."""

import pytest
import torch
from openness_rows import QUICK, blobs, digits

from thaw.foundation.errors import BadManifest
from thaw.foundation.parallel.progress import untold
from thaw.heads import fit_head
from thaw.heads.open_set.fitting import SCORES
from thaw.heads.open_set.rounds import Collected, Maker, hold_background_out, judge_background, leave_classes_out
from thaw.heads.open_set.scores import ScoreName
from thaw.targets.labelled import LabelledFeatures


def collect(rows: LabelledFeatures, names: tuple[ScoreName, ...] = SCORES) -> dict[ScoreName, Collected]:
    return leave_classes_out(rows, Maker(fit_head(rows, None, QUICK), QUICK, names, 1), untold)


def test_every_row_is_once_known_and_once_unknown() -> None:
    rows = blobs((12, 9, 7, 3))
    for one in collect(rows).values():
        assert len(one.known) == len(rows)
        assert one.classes.bincount().tolist() == [12, 9, 7, 3]
        assert ((one.below >= 0) & (one.below <= one.reached) & (one.reached <= 1)).all()


def test_far_classes_are_told_apart() -> None:
    rows = blobs((40, 40, 40, 40))
    for name in ("mahalanobis", "neighbours"):
        assert (collect(rows)[name].reached < 0.05).mean() > 0.95


def test_rows_that_nothing_can_be_learnt_from_cannot_be_told_apart() -> None:
    """Labels at random: a row of a class left out looks like any other row, so its share of known rows is uniform. Anything else would mean that a model has
    seen the row that it judges."""
    generator = torch.Generator().manual_seed(0)
    features, targets = torch.randn(240, 6, generator=generator), torch.arange(240) % 4
    for name, one in collect(LabelledFeatures(features, targets, tuple("abcd"))).items():
        middle = (one.below + one.reached).mean() / 2
        assert middle == pytest.approx(0.5, abs=0.06), name


def test_many_classes_are_left_out_several_at_a_time() -> None:
    said = []
    rows = blobs((4,) * 23)
    maker = Maker(fit_head(rows, None, QUICK), QUICK, ("neighbours",), 1)
    found = leave_classes_out(rows, maker, lambda done, total: said.append((done, total)))["neighbours"]
    assert found.classes.bincount().tolist() == [4] * 23
    assert said == [(done, 33) for done in range(1, 34)], "11 rounds of 3 folds"


def test_two_classes_and_single_rows() -> None:
    found = collect(blobs((20, 1)), ("mahalanobis", "neighbours"))
    for one in found.values():
        assert len(one.known) == 20, "the single row is always learnt from"
        assert one.classes.tolist() == [1], "and what is left without the first class cannot be compared with anything"


def test_groups_are_held_out_whole() -> None:
    """Copies of a row in its group: if one were learnt from while another is judged, the distance to the nearest would be 0."""
    rows = blobs((12, 12, 12))
    twice = LabelledFeatures(
        rows.features.repeat(2, 1), rows.targets.repeat(2), rows.class_names, torch.arange(36).repeat(2)
    )
    assert collect(twice, ("neighbours",))["neighbours"].known.max() < 0


def test_only_images_as_they_are_judge() -> None:
    rows = blobs((10, 10, 10))
    views = LabelledFeatures(
        rows.features.repeat_interleave(2, 0), rows.targets.repeat_interleave(2), rows.class_names,
        torch.arange(30).repeat_interleave(2), torch.arange(60) % 2 == 0,
    )  # fmt: skip
    found = collect(views, ("neighbours",))["neighbours"]
    assert len(found.known) == len(found.classes) == 30


def test_nothing_to_hold_out_is_said() -> None:
    rows = blobs((1, 1, 1))
    with pytest.raises(BadManifest, match="one training example a class"):
        leave_classes_out(rows, Maker(fit_head(rows, None, QUICK), QUICK, SCORES, 1), untold)


def test_the_background_class_stands_for_the_unknown() -> None:
    rows = digits(4, 200)
    maker = Maker(fit_head(rows, None, QUICK), QUICK, ("background",), 1, background=3)
    found = hold_background_out(rows, maker, untold)["background"]
    assert set(found.classes.tolist()) == {3}
    assert len(found.classes) == (rows.targets == 3).sum() and len(found.known) == (rows.targets != 3).sum()
    assert (found.reached < 0.1).mean() > 0.9


def test_a_background_of_one_image_is_said() -> None:
    rows = blobs((20, 20, 1))
    maker = Maker(fit_head(rows, None, QUICK), QUICK, ("background",), 1, background=2)
    with pytest.raises(BadManifest, match=r"openness\.background.*two or more"):
        hold_background_out(rows, maker, untold)


def test_a_fine_tuned_head_judges_the_background_of_validation_itself() -> None:
    head, held_out = fit_head(digits(4, 200), None, QUICK), digits(4, 100, skip=300)
    found = judge_background(held_out, head, 3)["background"]
    assert len(found.classes) == (held_out.targets == 3).sum()
    assert (found.reached < 0.1).mean() > 0.8
    with pytest.raises(BadManifest, match=r"dataset\.splits\.val"):
        judge_background(held_out.rows(held_out.targets != 3), head, 3)
