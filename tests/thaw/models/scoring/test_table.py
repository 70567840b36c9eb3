"""The table of scores, written and read."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thaw.foundation.errors import BadArtifact
from thaw.models.prediction.answer import Answer
from thaw.models.scoring.table import (
    SCHEMA,
    Row,
    ScoredBy,
    build_table,
    read_part,
    read_scored_by,
    read_scores,
    write_part,
    write_scores,
)

BY = ScoredBy("pets", "3", "f" * 32, "flatten", 256, ("ant", "bee | wasp"), "2026-11-27T00:00:00+00:00")
ROWS = [
    Row("a.png", b"a" * 32, ""),
    Row("b.png", None, "does not exist"),
    Row("c.png", b"c" * 32, ""),
    Row("d.png", b"d" * 32, "is empty"),
]
SURE = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)


def test_labels_stand_beside_the_images_that_can_be_used() -> None:
    said = Answer(BY.class_names, SURE, np.array([[True, False], [False, False]]), np.array([2.0, -1.0], np.float32))
    table = build_table(ROWS, said)
    assert table.schema.equals(SCHEMA)
    assert table["label"].to_pylist() == ["ant", None, "neither", None]
    assert table["labels"].null_count == 4
    assert table["confidence"].to_pylist() == pytest.approx([0.9, None, 0.6, None])
    assert table["known_score"].to_pylist() == [2.0, None, -1.0, None]
    assert [one and pytest.approx(one) for one in table["probabilities"].to_pylist()] == [
        [0.9, 0.1],
        None,
        [0.4, 0.6],
        None,
    ]
    assert table["digest"].to_pylist()[:2] == [b"a" * 32, None]
    assert table["reason"].to_pylist() == ["", "does not exist", "", "is empty"]
    table.validate(full=True)


def test_sets_may_be_empty_and_have_no_confidence() -> None:
    named = np.array([[True, True], [False, False]])
    table = build_table(ROWS, Answer(BY.class_names, SURE, named, target_name="label_sets"))
    assert table["labels"].to_pylist() == [["ant", "bee | wasp"], None, [], None]
    assert table["label"].null_count == table["confidence"].null_count == table["known_score"].null_count == 4
    table.validate(full=True)


def test_where_nothing_can_be_used_there_are_reasons_alone() -> None:
    table = build_table(ROWS[1:2], None)
    assert table.schema.equals(SCHEMA) and table["probabilities"].null_count == 1


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    parts = [build_table(ROWS, Answer(BY.class_names, SURE, np.eye(2, dtype=np.bool_))), build_table(ROWS[1:2], None)]
    for number, part in enumerate(parts):
        write_part(part, tmp_path / f"{number}.parquet")
    again = (read_part(tmp_path / f"{number}.parquet") for number in range(2))
    path = tmp_path / "scores.parquet"
    write_scores(again, BY, path)
    assert read_scored_by(path) == BY
    assert pa.Table.from_batches(read_scores(path, rows=2)).equals(pa.concat_tables(parts))
    assert pq.ParquetFile(path).num_row_groups == 2
    assert next(read_scores(path, columns=("path", "label"))).schema.names == ["path", "label"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    for content in (None, b"no Parquet"):
        if content:
            path.write_bytes(content)
        with pytest.raises(BadArtifact, match=r"x\.parquet cannot be read"):
            read_scored_by(path)
    pq.write_table(pa.table({"path": ["a"]}), path)
    with pytest.raises(BadArtifact, match="class_names"):
        list(read_scores(path))


def test_a_damaged_part_is_removed_so_that_it_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    write_part(build_table(ROWS[1:2], None), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadArtifact, match=r"part\.parquet is gone or damaged"):
        read_part(path)
    assert not path.exists()
