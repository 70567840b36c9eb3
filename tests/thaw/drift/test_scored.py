"""Scores tables, and which of their rows are compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drifting import batch, layer, write_scores

from thaw.drift.record import LeftOut
from thaw.drift.reference import MOST_ROWS
from thaw.drift.scored import choose_rows, read_scored
from thaw.foundation.errors import BadArtifact


def test_usable_rows_are_read_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    new = batch(270, 60)
    scored = read_scored(write_scores(tmp_path / "scores.parquet", new, unusable=3))
    assert (scored.origin.model, scored.origin.version, scored.layer, scored.unusable) == ("pets", 1, layer(), 3)
    assert scored.digests == new.digests
    rows = np.array([40, 3, 59, 0])
    some = scored.observed(rows, new.features[rows])
    assert some.digests == tuple(new.digests[row] for row in rows)
    for name in ("features", "named", "confidences", "accepted", "known_scores"):
        assert np.array_equal(getattr(some, name), getattr(new, name)[rows]), name


def test_rows_after_unusable_ones_and_in_other_row_groups_are_found(tmp_path: Path) -> None:
    new, path = batch(270, 60), tmp_path / "scores.parquet"
    table = pq.read_table(write_scores(path, new, unusable=3))
    pq.write_table(pa.concat_tables([table.slice(60), table.slice(0, 60)]), path, row_group_size=7)
    scored, rows = read_scored(path), np.arange(60)[::-1]
    assert np.array_equal(scored.observed(rows, new.features).named, new.named[rows])


def test_a_model_that_knows_no_others_accepts_all(tmp_path: Path) -> None:
    closed = replace(batch(270, 60), accepted=None, known_scores=None)
    scored = read_scored(write_scores(tmp_path / "scores.parquet", closed))
    assert scored.observed(np.arange(60), closed.features).accepted is None


def test_sets_of_labels_are_read(tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.parquet", batch(270, 3), unusable=1)
    table = pq.read_table(path)
    sets = [["0", "2"], [], ["1"], None]
    for name, cells in (("label", [None] * 4), ("labels", sets)):
        field = table.schema.field(name)
        table = table.set_column(table.column_names.index(name), field, pa.array(cells, field.type))
    pq.write_table(table, path)
    found = read_scored(path).observed(np.arange(3), batch(270, 3).features)
    assert found.named.tolist() == [[True, False, True], [False, False, False], [False, True, False]]
    assert found.confidences is None and found.accepted is None


def test_where_nothing_could_be_used_there_are_no_rows(tmp_path: Path) -> None:
    none = batch(270, 60).rows(np.zeros(60, bool))
    scored = read_scored(write_scores(tmp_path / "scores.parquet", none, unusable=2))
    assert scored.digests == () and scored.unusable == 2
    assert scored.observed(np.arange(0), none.features).named.shape == (0, 3)


def test_what_is_no_scores_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    with pytest.raises(BadArtifact, match="score the examples again"):
        read_scored(path)
    path.write_bytes(b"no Parquet")
    with pytest.raises(BadArtifact, match="score the examples again"):
        read_scored(path)
    write_scores(path, batch(270, 3))
    table = pq.read_table(path)
    pq.write_table(table.drop_columns("digest"), path)
    with pytest.raises(BadArtifact, match="digest"):
        read_scored(path)
    pq.write_table(table.drop_columns("confidence"), path)
    with pytest.raises(BadArtifact, match="confidence"):
        read_scored(path).observed(np.arange(3), batch(270, 3).features)


@pytest.mark.parametrize("version", ["", "models:/m-0123", "-1"])
def test_only_a_registered_version_has_a_reference(version: str, tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="no version in the registry"):
        read_scored(write_scores(tmp_path / "scores.parquet", batch(270, 3), version=version))


def test_each_content_counts_once_and_the_reference_does_not() -> None:
    digests = [bytes([number]) * 32 for number in (7, 3, 7, 1, 9)]
    rows, left_out = choose_rows(digests, [digests[3]], unusable=2)
    assert rows.tolist() == [1, 0, 4]
    assert left_out == LeftOut(unusable=2, copies=1, reference=1)


def test_no_more_rows_than_take_seconds() -> None:
    digests = [number.to_bytes(32, "little") for number in range(MOST_ROWS + 7)]
    rows, left_out = choose_rows(digests, (), 0)
    assert len(set(rows.tolist())) == MOST_ROWS and left_out == LeftOut(beyond=7)
