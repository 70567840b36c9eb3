"""Copies, classes and notes, counted on rows without files."""

import json

from thaw.dataset.candidates import Candidate, Source
from thaw.dataset.ingest_report import Accepted, Copies, IngestReport, build_report, find_copies
from thaw.dataset.manifest import Example
from thaw.dataset.splits import Splitter
from thaw.kinds.images.kind import KIND
from thaw.params.sections import SplitParams


def example(
    path: str, *, digest: int, label: str | None = "a", split: str = "train", group: str | None = None
) -> Example:
    return Example(bytes([digest] * 32), path, label, split, group, (8, 8, 1), 10)


def report(*examples: Example, own: bool = True) -> IngestReport:
    """The report of a source whose own splits are those of the examples, or that has none."""
    candidates = tuple(Candidate(one.path, one.label, one.split if own else None, one.group) for one in examples)
    splitter = Splitter.of((one.split for one in candidates), SplitParams())
    accepted = [Accepted(one, "PNG", True) for one in examples]
    return build_report("source", Source(candidates, ()), accepted, KIND.words, rejected=0, splitter=splitter)


def test_copies_within_across_and_conflicting() -> None:
    examples = [
        example("a/1", digest=1),
        example("a/2", digest=1),
        example("b/1", digest=2, label="b"),
        example("b/2", digest=2, label="b", split="test"),
        example("c/1", digest=3, label="a", split="test"),
        example("c/2", digest=3, label="b", split="val"),
        example("c/3", digest=3, label=None, split="val"),
        example("d/1", digest=4),
    ]
    assert find_copies(examples) == [
        Copies(("a/1", "a/2"), ("a",), ("train",)),
        Copies(("b/1", "b/2"), ("b",), ("train", "test")),
        Copies(("c/1", "c/2", "c/3"), ("a", "b"), ("val", "test")),
    ]
    counted = report(*examples)
    assert (counted.copies_within, counted.copies_across, counted.copies_conflicting) == (1, 2, 1)
    assert any(note.startswith("Sets of equal files across splits: 2.") for note in counted.notes)
    assert any(note.startswith("Sets of equal files with several labels: 1.") for note in counted.notes)


def test_classes_by_split_leave_out_the_unlabelled() -> None:
    counted = report(
        example("1", digest=1),
        example("2", digest=2, label="b", split="test"),
        example("3", digest=3, label=None),
    )
    assert counted.classes == {"a": {"train": 1, "val": 0, "test": 0}, "b": {"train": 0, "val": 0, "test": 1}}
    assert counted.splits == {"train": 2, "val": 0, "test": 1}
    assert counted.unlabelled == 1
    assert "No training example of `b`." in counted.notes
    assert "No test example of `a`." in counted.notes


def balanced(most: int) -> list[Example]:
    tests = [example(f"t{label}", digest=200 + i, label=label, split="test") for i, label in enumerate("ab")]
    return [*tests, example("b", digest=0, label="b"), *(example(f"a{i}", digest=1 + i) for i in range(most))]


def test_imbalance_is_noted_from_ten_to_one() -> None:
    assert report(*balanced(10)).notes == ()
    (note,) = report(*balanced(11)).notes
    assert "11 training examples of `a`, 1 of `b` (11 to 1)" in note


def test_groups_that_span_the_sources_splits_are_a_leak() -> None:
    rows = [
        example("1", digest=1, group="g"),
        example("2", digest=2, label="b", group="h"),
        example("3", digest=3, split="test", group="g"),
        example("4", digest=4, label="b", split="test"),
    ]
    (note,) = report(*rows).notes
    assert note.startswith("Groups in more than one split of the source: 1 (`g`).")


def test_labelled_files_without_a_split_beside_others_are_noted() -> None:
    examples = balanced(2)
    candidates = tuple(Candidate(one.path, one.label, one.split if one.path != "a0" else None) for one in examples)
    splitter = Splitter.of((one.split for one in candidates), SplitParams())
    accepted = [Accepted(one, "PNG", True) for one in examples]
    counted = build_report("source", Source(candidates, ()), accepted, KIND.words, rejected=0, splitter=splitter)
    assert counted.notes == (
        "Labelled files without a split, beside others that have one: 1. They are used for training.",
    )


def test_a_source_of_train_alone_and_one_without_a_test() -> None:
    only_train = [example("1", digest=1), example("2", digest=2, label="b")]
    assert report(*only_train).notes[0].startswith("The source names no split but train")
    assert any("No example is in the test" in note for note in report(*only_train, own=False).notes)


def test_json_is_stable_and_readable() -> None:
    first, second = report(*balanced(3)), report(*reversed(balanced(3)))
    assert first.to_json() == second.to_json()
    assert json.loads(first.to_json())["classes"]["a"] == {"train": 3, "val": 0, "test": 1}
