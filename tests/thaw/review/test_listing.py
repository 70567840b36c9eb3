"""From features to findings."""

from collections.abc import Collection
from dataclasses import replace

import pytest
import torch

from thaw.dataset.corrections import LEAVE_OUT
from thaw.dataset.manifest import SPLITS, Example
from thaw.foundation.errors import BadManifest
from thaw.heads import FittedHead
from thaw.params.sections import HeadParams
from thaw.review.findings import Finding
from thaw.review.listing import HeadJudge, Rows, list_duplicates, list_suspects, list_useful
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.target import Target

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


def suspects(
    given: Rows, decided: Collection[bytes] = (), target: Target = ONE_LABEL
) -> tuple[list[Finding], FittedHead]:
    found, head = list_suspects(given.examples, decided, HeadJudge(given, PARAMS, target), target)
    assert head is not None
    return found, head


def test_suspects_come_from_every_split_less_what_a_person_decided_on() -> None:
    given = rows(wrong=(0, 4, 8, 30))  # of train, val, test, val
    found, _ = suspects(given)
    assert {(one.path, one.split) for one in found} == {
        ("0.png", "train"),
        ("4.png", "val"),
        ("8.png", "test"),
        ("30.png", "val"),
    }
    assert all(one.suggested == NAMES[int(one.path.removesuffix(".png")) % 3] for one in found)
    fewer, _ = suspects(given, {given.examples[4].digest})
    assert [(one.rank, one.path) for one in fewer] == list(
        enumerate((one.path for one in found if one.path != "4.png"), start=1)
    )


def test_labels_of_the_test_train_nothing() -> None:
    _, head = suspects(rows())
    _, other = suspects(rows(wrong=tuple(range(6, 150, 9))))  # of the test alone
    features = torch.randn(5, 8)
    assert head.probabilities(features).equal(other.probabilities(features))


def test_one_class_is_not_enough() -> None:
    given = rows(30)
    ants = tuple(number for number, one in enumerate(given.examples) if one.label == "ant")
    with pytest.raises(BadManifest, match="only with two or more classes"):
        suspects(Rows(tuple(given.examples[number] for number in ants), given.features[list(ants)]))


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
    _, head = suspects(given)
    found = list_useful(given, head, 5)
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert all(one.suggested in NAMES and one.probability is not None for one in found)
    assert list_useful(Rows((), torch.empty(0, 8)), head, 5) == []


def test_sets_are_suspected_and_suggested_as_sets() -> None:
    given = rows(wrong=(4,))

    def as_set(example: Example, number: int) -> Example:
        names = ("ant",) if example.label == "ant" else tuple(sorted({"bee", str(example.label)}))
        return replace(example, label=None, labels=() if number == 8 else names)

    sets = Rows(tuple(as_set(one, number) for number, one in enumerate(given.examples)), given.features)
    found, head = suspects(sets, target=LABEL_SETS)
    assert {(one.path, one.label, one.suggested) for one in found} == {
        ("4.png", "bee|wasp", "bee"),
        ("8.png", "|", "bee|wasp"),
    }
    assert {one.path: one.labels_to_change(LABEL_SETS) for one in found} == {"4.png": 1, "8.png": 2}
    useful = list_useful(sets, head, 3)
    assert all(set(one.suggested.split("|")) <= {*NAMES, ""} and one.probability is not None for one in useful)
