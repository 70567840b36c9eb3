"""From features to findings."""

import pytest
import torch

from thaw.dataset.corrections import LEAVE_OUT
from thaw.dataset.manifest import SPLITS, Example
from thaw.foundation.errors import BadManifest
from thaw.params.sections import HeadParams
from thaw.review.listing import Rows, list_duplicates, list_suspects, list_useful

PARAMS = HeadParams(l2=(0.01, 0.1), folds=3)
NAMES = ("ant", "bee", "wasp")


def rows(count: int = 150, *, wrong: tuple[int, ...] = (), splits: tuple[str, ...] = SPLITS) -> Rows:
    """Three clouds that lie apart; row i is of class i % 3, or labelled as the next one where it is `wrong`, and of split i // 3 in turn."""
    kinds = torch.arange(count) % 3
    features = 4 * torch.eye(3, 8)[kinds] + 0.4 * torch.randn(count, 8, generator=torch.Generator().manual_seed(0))
    examples = tuple(
        Example(
            digest=number.to_bytes(32, "big"),
            path=f"{number}.png",
            label=NAMES[(number + (number in wrong)) % 3],
            split=splits[(number // 3) % len(splits)],
            group=None,
            shape=(1, 1, 3),
            size=9,
        )
        for number in range(count)
    )
    return Rows(examples, features)


def test_suspects_come_from_every_split_less_what_a_person_decided_on() -> None:
    given = rows(wrong=(0, 4, 8, 30))  # of train, val, test, val
    found, _ = list_suspects(given, (), PARAMS)
    assert {(one.path, one.split) for one in found} == {
        ("0.png", "train"),
        ("4.png", "val"),
        ("8.png", "test"),
        ("30.png", "val"),
    }
    assert all(one.suggested == NAMES[int(one.path.removesuffix(".png")) % 3] for one in found)
    fewer, _ = list_suspects(given, {given.examples[4].digest}, PARAMS)
    assert [(one.rank, one.path) for one in fewer] == list(
        enumerate((one.path for one in found if one.path != "4.png"), start=1)
    )


def test_labels_of_the_test_train_nothing() -> None:
    _, head = list_suspects(rows(), (), PARAMS)
    _, other = list_suspects(rows(wrong=tuple(range(6, 150, 9))), (), PARAMS)  # of the test alone
    features = torch.randn(5, 8)
    assert head.probabilities(features).equal(other.probabilities(features))


def test_one_class_is_not_enough() -> None:
    given = rows(30)
    ants = tuple(number for number, one in enumerate(given.examples) if one.label == "ant")
    with pytest.raises(BadManifest, match="only with two or more classes"):
        list_suspects(Rows(tuple(given.examples[number] for number in ants), given.features[list(ants)]), (), PARAMS)


def test_of_a_pair_the_training_image_comes_first_and_is_to_be_left_out() -> None:
    given = rows(90, splits=("test", "train"))
    given.features[4] = given.features[0]
    first, second = list_duplicates(given)[:2]
    assert (first.path, first.split, first.suggested) == ("4.png", "train", LEAVE_OUT)
    assert (second.path, second.split, second.suggested) == ("0.png", "test", "")
    assert (first.other_path, second.other_path) == ("0.png", "4.png")
    assert first.rank == second.rank == 1
    assert first.disagrees and (first.label, first.other_label) == ("bee", "ant")


def test_useful_ones_carry_what_they_look_like() -> None:
    given = rows()
    _, head = list_suspects(given, (), PARAMS)
    found = list_useful(given, head, 5)
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert all(one.suggested in NAMES and one.probability is not None for one in found)
    assert list_useful(Rows((), torch.empty(0, 8)), head, 5) == []
