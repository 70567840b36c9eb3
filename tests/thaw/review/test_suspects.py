"""Labels that look wrong."""

import torch

from thaw.params.sections import HeadParams
from thaw.review.suspects import find_suspects, judge
from thaw.targets.labelled import LabelledFeatures

PARAMS = HeadParams(l2=(0.01, 0.1), folds=3)
NAMES = ("ant", "bee", "wasp")


def clouds(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three clouds of points that lie apart: float32 [count, 8], int64 [count]."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(count) % 3
    centres = 4 * torch.eye(3, 8)
    return centres[targets] + torch.randn(count, 8, generator=generator) * 0.4, targets


def test_flipped_labels_are_found_in_training_and_in_the_test() -> None:
    features, right = clouds(150, 0)
    targets = right.clone()
    flipped = [3, 40, 77, 120, 140]
    targets[flipped] = (targets[flipped] + 1) % 3
    learning = LabelledFeatures(features[:110], targets[:110], NAMES)
    test = LabelledFeatures(features[110:], targets[110:], NAMES)
    judged = judge(learning, test, PARAMS)
    found = find_suspects(torch.cat([judged.learning, judged.test]), targets)
    assert {one.row for one in found} == set(flipped)
    assert all(one.suggested == (right[one.row],) for one in found)
    assert [one.quality for one in found] == sorted(one.quality for one in found)
    assert all(0 <= one.quality < one.probability <= 1 for one in found)


def test_a_label_takes_no_part_in_how_it_is_judged() -> None:
    # Of more features than rows a head could learn any labels by heart, and so would find them all right.
    features = torch.randn(90, 256, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(90) % 3
    judged = judge(LabelledFeatures(features, targets, NAMES), LabelledFeatures(features, targets, NAMES), PARAMS)
    assert (judged.test.argmax(1) == targets).float().mean() == 1, "by a head that has seen them"
    assert (judged.learning.argmax(1) == targets).float().mean() < 0.6


def test_rows_of_a_group_do_not_vouch_for_each_other() -> None:
    features = torch.randn(90, 256, generator=torch.Generator().manual_seed(0))
    features[1::2] = features[::2]
    targets = (torch.arange(90) // 2) % 3
    none = LabelledFeatures(features[:0], targets[:0], NAMES)

    def right(groups: torch.Tensor | None) -> float:
        judged = judge(LabelledFeatures(features, targets, NAMES, groups), none, HeadParams(l2=(0.1,), folds=10))
        return float((judged.learning.argmax(1) == targets).float().mean())

    assert right(None) > 0.7
    assert right(torch.arange(90) // 2) < 0.6


def test_the_only_row_of_a_class_is_not_judged() -> None:
    features, targets = clouds(40, 2)
    targets = torch.where(targets == 2, 0, targets)
    targets[5] = 2
    judged = judge(
        LabelledFeatures(features, targets, NAMES), LabelledFeatures(features[:0], targets[:0], NAMES), PARAMS
    )
    assert judged.held_out.sum() == 39 and not judged.held_out[5]


def test_no_rows_no_suspects() -> None:
    assert find_suspects(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)) == []


def test_of_sets_a_class_too_many_and_one_too_few_are_found_and_turned() -> None:
    features, kinds = clouds(240, 3)
    right = torch.stack([kinds == 0, kinds < 2, kinds == 2], 1)
    shown = right.clone()
    shown[10, 0], shown[21, 2] = ~shown[10, 0], ~shown[21, 2]
    learning = LabelledFeatures(features, shown, NAMES)
    judged = judge(learning, learning.rows(torch.arange(0)), PARAMS)
    found = find_suspects(judged.learning, shown)
    assert {one.row for one in found} == {10, 21}
    for one in found:
        assert one.suggested == tuple(right[one.row].nonzero().flatten().tolist())
        assert 0 <= one.quality < 0.5 < one.probability <= 1
    assert find_suspects(torch.empty(0, 3), torch.empty(0, 3, dtype=torch.bool)) == []
