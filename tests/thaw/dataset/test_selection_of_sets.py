"""Which rows of a manifest of label sets are learnt from."""

from itertools import pairwise

import pytest

from thaw.dataset.manifest import Example, Manifest, build_manifest
from thaw.dataset.selection import class_names_of, examples_of, training_examples, validation_examples
from thaw.foundation.errors import BadManifest
from thaw.targets.label_sets.target import LABEL_SETS


def row(number: int, labels: tuple[str, ...] | None, split: str = "train", *, digest: int | None = None) -> Example:
    content = (number if digest is None else digest).to_bytes(32, "big")
    return Example(content, f"{number:03}.png", None, split, None, (8, 8, 3), 9, labels)


def manifest(*rows: Example) -> Manifest:
    return build_manifest(rows)


TWO = (row(1, ("ant",)), row(2, ("bee",)))


def test_unlabelled_contradictory_and_held_out_rows_are_not_learnt_from() -> None:
    found = training_examples(
        manifest(
            *TWO,
            row(3, None),
            row(4, ()),
            row(5, ("ant",), digest=50),
            row(6, ("ant", "bee"), digest=50),
            row(7, ("bee",), digest=70),
            row(8, ("bee",), "test", digest=70),
            row(9, ("ant", "bee"), digest=90),
            row(10, ("ant", "bee"), digest=90),
        ),
        None,
    )
    assert [one.path for one in found] == ["001.png", "002.png", "004.png", "009.png"]
    assert class_names_of(found) == ("ant", "bee")
    assert LABEL_SETS.encode(found, ("ant", "bee")).tolist() == [
        [True, False],
        [False, True],
        [False, False],
        [True, True],
    ]


def test_a_budget_keeps_the_first_of_each_class_and_is_among_every_larger_one() -> None:
    rows = [row(number, (("ant",), ("bee",), ("ant", "bee"), ())[number % 4]) for number in range(1, 40)]
    budgets = [{one.path for one in training_examples(manifest(*rows), count)} for count in (1, 3, 5, None)]
    assert all(small < large for small, large in pairwise(budgets))
    three = training_examples(manifest(*rows), 3)
    for name in ("ant", "bee"):
        assert sum(name in (one.labels or ()) for one in three) >= 3
    assert sum(one.labels == () for one in three) == 3


def test_a_seed_draws_another_budget_and_each_class_keeps_as_many() -> None:
    rows = [row(number, (("ant",), ("bee",), ("ant", "bee"), ())[number % 4]) for number in range(1, 40)]
    drawn = [training_examples(manifest(*rows), 3, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    for name in ("ant", "bee"):
        assert sum(name in (one.labels or ()) for one in drawn[2]) >= 3


def test_validation_leaves_out_what_is_in_the_test() -> None:
    rows = manifest(
        *TWO, row(3, ("ant",), "val"), row(4, ("ant",), "val", digest=40), row(5, ("ant",), "test", digest=40)
    )
    assert [one.path for one in validation_examples(rows)] == ["003.png"]
    assert [one.path for one in examples_of(rows, "test")] == ["005.png"]


def test_what_cannot_be_learnt_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadManifest, match="only 'ant'"):
        training_examples(manifest(row(1, ("ant",)), row(2, ())), None)
    with pytest.raises(BadManifest, match="every training example shows 'ant'"):
        training_examples(manifest(row(1, ("ant",)), row(2, ("ant", "bee"))), None)
    with pytest.raises(BadManifest, match="test holds classes without training examples: 'wasp'"):
        training_examples(manifest(*TWO, row(3, ("wasp",), "test")), None)
