"""The file of the images that a model was really trained on."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thaw.dataset.manifest import TEST, TRAIN, Example, build_manifest
from thaw.foundation.errors import BadArtifact
from thaw.lineage.surroundings import installed_packages, this_machine
from thaw.lineage.training_examples import list_training_examples, read_training_examples, write_training_examples


def example(number: int, label: str | None, split: str = TRAIN, labels: tuple[str, ...] | None = None) -> Example:
    return Example(number.to_bytes(32, "big"), f"{number}.png", label, split, None, (1, 1, 3), 1, labels)


def test_it_holds_the_selection_and_nothing_else(tmp_path: Path) -> None:
    rows = [
        example(1, "a"),
        example(2, "a"),
        example(3, "b"),
        example(4, None),
        example(5, "a", TEST),
        example(6, "b", TEST),
    ]
    copy = Example(rows[4].digest, "copy of 5.png", "a", TRAIN, None, (1, 1, 3), 1)
    found = list_training_examples(build_manifest([*rows, copy]), labels_per_class=1)
    assert [(one.path, one.labels) for one in found] == [("1.png", ("a",)), ("3.png", ("b",))]
    assert len(list_training_examples(build_manifest([*rows, copy]), None)) == 3, (
        "without unlabelled and held-out bytes"
    )
    write_training_examples(found, tmp_path / "training.parquet")
    assert read_training_examples(tmp_path / "training.parquet") == found


def test_sets_of_labels_keep_every_label(tmp_path: Path) -> None:
    rows = [example(1, None, labels=("a", "b")), example(2, None, labels=("b",)), example(3, None, labels=())]
    found = list_training_examples(build_manifest(rows), None)
    write_training_examples(found, tmp_path / "training.parquet")
    assert [one.labels for one in read_training_examples(tmp_path / "training.parquet")] == [("a", "b"), ("b",), ()]


def test_damage_and_another_schema_are_named(tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadArtifact, match=r"torn\.parquet cannot be read"):
        read_training_examples(tmp_path / "torn.parquet")
    pq.write_table(pa.table({"path": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(BadArtifact, match="no list of training examples"):
        read_training_examples(tmp_path / "other.parquet")


def test_the_surroundings_are_what_is_installed_and_this_machine() -> None:
    machine = this_machine()
    assert machine.cores >= 1 and machine.memory_gb > 0.1 and machine.processor
    assert installed_packages()["torch"].partition("+")[0] == "2.13.0"
