"""Which rows of a manifest are trained, chosen and measured on."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.dataset.manifest import Example, Manifest, build_manifest
from thaw.dataset.selection import class_names_of, examples_of, training_examples, validation_examples
from thaw.foundation.errors import BadManifest


def row(path: str, label: str | None, split: str = "train", content: str | None = None) -> Example:
    digest = hashlib.sha256((content or path).encode()).digest()
    return Example(digest, path, label, split, group=None, shape=(8, 8, 3), size=64)


def manifest_of(*rows: Example) -> Manifest:
    return build_manifest(rows)


def paths(examples: tuple[Example, ...]) -> list[str]:
    return [example.path for example in examples]


TWO_CLASSES = (row("a/1", "a"), row("b/1", "b"))


def test_training_examples_are_labelled_train_rows_sorted_by_path() -> None:
    manifest = manifest_of(row("z", "a"), row("y", "b"), row("x", None), row("w", "a", "val"), row("v", "b", "test"))
    assert paths(training_examples(manifest, None)) == ["y", "z"]


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("label", ["a", None])
def test_a_digest_that_is_held_out_is_never_trained_on(split: str, label: str | None) -> None:
    manifest = manifest_of(*TWO_CLASSES, row("a/2", "a", content="same"), row("held", label, split, content="same"))
    assert paths(training_examples(manifest, None)) == ["a/1", "b/1"]


def test_a_digest_comes_once() -> None:
    manifest = manifest_of(*TWO_CLASSES, row("a/3", "a", content="same"), row("a/2", "a", content="same"))
    assert paths(training_examples(manifest, None)) == ["a/1", "a/2", "b/1"]


def test_a_digest_with_conflicting_labels_is_left_out() -> None:
    manifest = manifest_of(*TWO_CLASSES, row("a/2", "a", content="same"), row("b/2", "b", content="same"))
    assert paths(training_examples(manifest, None)) == ["a/1", "b/1"]


def test_an_unlabelled_copy_does_not_contradict() -> None:
    manifest = manifest_of(*TWO_CLASSES, row("a/2", "a", content="same"), row("a/0", None, content="same"))
    assert paths(training_examples(manifest, None)) == ["a/1", "a/2", "b/1"]


@given(
    labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    budget=st.integers(1, 12),
    seed=st.none() | st.integers(0, 3),
)
def test_budgets_are_nested_and_kept(labels: list[str], budget: int, seed: int | None) -> None:
    manifest = manifest_of(row("a", "a"), row("b", "b"), *(row(f"{i}", label) for i, label in enumerate(labels)))
    smaller = training_examples(manifest, budget, seed)
    larger = training_examples(manifest, budget + 1, seed)
    assert set(smaller) <= set(larger)
    for name in class_names_of(training_examples(manifest, None)):
        available = sum(example.label == name for example in manifest.examples())
        assert sum(example.label == name for example in smaller) == min(budget, available)


def test_without_a_seed_the_budget_goes_by_digest() -> None:
    rows = [row(f"a/{i}", "a") for i in range(9)]
    chosen = training_examples(manifest_of(*rows, row("b", "b")), 3)
    expected = sorted(rows, key=lambda example: example.digest)[:3]
    assert {example for example in chosen if example.label == "a"} == set(expected)


def test_a_seed_draws_anew_and_repeats_itself() -> None:
    manifest = manifest_of(row("b", "b"), *(row(f"a/{i}", "a") for i in range(60)))
    draws = [training_examples(manifest, 10, seed) for seed in (None, 0, 1)]
    assert len(set(draws)) == 3
    assert training_examples(manifest, 10, 1) == draws[2]


@pytest.mark.parametrize("rows", [(), (row("a/1", "a"), row("a/2", "a")), (row("a/1", None), row("b/1", "b"))])
def test_fewer_than_two_classes_are_refused(rows: tuple[Example, ...]) -> None:
    with pytest.raises(BadManifest, match="two classes"):
        training_examples(manifest_of(*rows), None)


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_held_out_class_without_training_examples_is_named(split: str) -> None:
    with pytest.raises(BadManifest, match=f"{split} .*'moth', 'wasp'"):
        training_examples(manifest_of(*TWO_CLASSES, row("w", "wasp", split), row("m", "moth", split)), None)


def test_a_class_that_is_only_left_out_for_its_conflicts_is_named() -> None:
    clash = (row("c/1", "c", content="same"), row("a/2", "a", content="same"))
    with pytest.raises(BadManifest, match="'c'"):
        training_examples(manifest_of(*TWO_CLASSES, *clash, row("c/2", "c", "test")), None)


def test_examples_of_a_split_are_its_labelled_rows() -> None:
    manifest = manifest_of(*TWO_CLASSES, row("v/2", "b", "val"), row("v/1", "a", "val"), row("v/3", None, "val"))
    assert paths(examples_of(manifest, "val")) == ["v/1", "v/2"]


def test_validation_leaves_out_what_is_also_in_test() -> None:
    manifest = manifest_of(
        *TWO_CLASSES,
        row("v/1", "a", "val"),
        row("v/2", "a", "val", content="same"),
        row("t", "a", "test", content="same"),
    )
    assert paths(validation_examples(manifest)) == ["v/1"]
