"""Predictions come back from their file as they went in, or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from evaluations import NAMES, hostile_predictions

from thaw.foundation.errors import BadArtifact
from thaw.targets.predictions import Predictions, read_predictions, write_predictions


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = hostile_predictions()
    write_predictions(written, tmp_path / "predictions.parquet")
    found = read_predictions(tmp_path / "predictions.parquet")
    assert (found.class_names, found.digests, found.paths) == (written.class_names, written.digests, written.paths)
    assert (found.targets == written.targets).all()
    assert np.array_equal(found.probabilities, written.probabilities) and found.groups is None


def test_groups_are_numbers_in_the_last_column(tmp_path: Path) -> None:
    written = replace(hostile_predictions(), groups=np.arange(60) // 2)
    write_predictions(written, tmp_path / "predictions.parquet")
    assert np.array_equal(read_predictions(tmp_path / "predictions.parquet").groups, written.groups)
    assert pq.read_table(tmp_path / "predictions.parquet").column_names[-1] == "group"


def test_any_reader_of_parquet_finds_names_and_confidence(tmp_path: Path) -> None:
    written = hostile_predictions()
    write_predictions(written, tmp_path / "predictions.parquet")
    table = pq.read_table(tmp_path / "predictions.parquet")
    assert set(table["label"].to_pylist()) == set(NAMES)
    assert table["predicted"].to_pylist() == [NAMES[place] for place in written.predicted]
    assert table["confidence"].to_numpy() == pytest.approx(written.confidences)


def test_a_missing_torn_or_foreign_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with pytest.raises(BadArtifact, match="thaw run --stage evaluate"):
        read_predictions(path)
    write_predictions(hostile_predictions(), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadArtifact, match="cannot be read"):
        read_predictions(path)
    pq.write_table(pa.table({"digest": [b"x"]}), path)
    with pytest.raises(BadArtifact, match="holds no predictions"):
        read_predictions(path)


def test_sets_come_back_and_the_same_ones_give_the_same_bytes(tmp_path: Path) -> None:
    shown = np.array([[1, 0, 1], [0, 0, 0]], np.bool_)
    digests = tuple(number.to_bytes(32, "big") for number in range(2))
    probabilities = np.where(shown, 0.2, 0.7).astype(np.float32)
    said = Predictions(("ant", "bee", "wasp"), digests, ("0.png", "1.png"), shown, probabilities, ~shown)
    for name in ("one", "two"):
        write_predictions(said, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = read_predictions(tmp_path / "one")
    assert (again.class_names, again.digests, again.paths) == (said.class_names, said.digests, said.paths)
    for name in ("targets", "named", "probabilities"):
        assert np.array_equal(getattr(again, name), getattr(said, name))
    assert again.names(again.shown[0]) == ("ant", "wasp")
    assert pq.read_table(tmp_path / "one")["labels"].to_pylist() == [["ant", "wasp"], []]
    assert not again.target.exclusive


def test_of_one_label_the_most_probable_class_is_named() -> None:
    said = hostile_predictions()
    assert said.target.exclusive
    assert (said.named.sum(1) == 1).all() and (said.named.argmax(1) == said.predicted).all()
    assert (said.shown.sum(1) == 1).all() and (said.shown.argmax(1) == said.targets).all()
