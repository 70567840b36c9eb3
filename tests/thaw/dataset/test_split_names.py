"""The names of splits as people write them."""

import pytest

from thaw.dataset.split_names import splits_mentioned, splits_named


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("Training", "Validation", "Testing"),
        ("TRAIN", "DEV", "TEST"),
        ("train_set", "val-set", "Test Set"),
        ("trainset", "valid", "testset"),
        ("train2017", "val2017", "test2017"),
        ("train data", "development", "hold-out"),
        ("train", "dev", "eval"),
        ("train", "eval", "test"),
        ("train", "holdout", "test"),
        ("train", "valid", "Held_Out"),
    ],
)
def test_usual_names_in_any_case(train: str, val: str, test: str) -> None:
    assert splits_named([train, val, test]) == {train: "train", val: "val", test: "test"}


def test_names_of_classes_are_no_splits() -> None:
    assert splits_named(["train station", "test tube", "trainer", "set", "data", "2017", "", "evaluate", "plane"]) == {}


def test_a_split_that_is_one_word_of_a_name() -> None:
    names = ["seg_train", "seg_test", "seg_pred", "trainer", "contest"]
    assert splits_mentioned(names) == {"seg_train": "train", "seg_test": "test"}
