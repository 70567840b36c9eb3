"""The manifest's contract: order, types, and byte-for-byte sameness."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.dataset.manifest import SCHEMA, SCHEMA_OF_SETS, SPLITS, Example, build_manifest, read_manifest, write_manifest
from thaw.foundation.errors import BadArtifact

examples = st.lists(
    st.builds(
        Example,
        digest=st.binary(min_size=32, max_size=32),
        path=st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable()),
        label=st.none() | st.sampled_from(["ant", "bee", "蜂"]),
        split=st.sampled_from(SPLITS),
        group=st.none() | st.just("nest"),
        shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
        size=st.integers(0, 2**40),
    ),
    unique_by=lambda example: example.path,
    max_size=8,
)


@given(examples, st.randoms())
def test_any_order_gives_the_same_rows(rows: list[Example], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert build_manifest(shuffled).table.equals(build_manifest(rows).table)
    assert build_manifest(rows).examples() == sorted(rows, key=lambda example: example.path)


def test_the_same_rows_give_the_same_bytes_and_come_back(tmp_path: Path) -> None:
    rows = [
        Example(bytes(32), "b/2.png", "b", "train", None, (8, 8, 1), 90),
        Example(bytes([1] * 32), "a/1.png", None, "test", "g", (9, 8, 3), 91),
    ]
    write_manifest(build_manifest(rows), tmp_path / "one.parquet")
    write_manifest(build_manifest(rows[::-1]), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    manifest = read_manifest(tmp_path / "one.parquet")
    assert manifest.examples() == rows[::-1]
    assert manifest.class_names == ("b",)
    assert manifest.table.schema.equals(SCHEMA)


def test_what_is_no_manifest_is_refused_with_what_to_do(tmp_path: Path) -> None:
    missing, torn, foreign = tmp_path / "missing", tmp_path / "torn", tmp_path / "foreign"
    torn.write_bytes(b"PAR1 half")
    pq.write_table(pa.table({"path": ["a"]}), foreign)
    for path in (missing, torn, foreign):
        with pytest.raises(BadArtifact, match="thaw run --stage ingest"):
            read_manifest(path)


def test_sets_of_labels_are_one_column_more_and_no_single_label(tmp_path: Path) -> None:
    rows = [
        Example(bytes(32), "1.png", None, "train", None, (8, 8, 1), 90, ("ant", "bee")),
        Example(bytes([1] * 32), "2.png", None, "train", None, (8, 8, 1), 90, ()),
        Example(bytes([2] * 32), "3.png", None, "test", "g", (8, 8, 1), 90, None),
    ]
    write_manifest(build_manifest(rows), tmp_path / "one.parquet")
    write_manifest(build_manifest(rows[::-1]), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    manifest = read_manifest(tmp_path / "one.parquet")
    assert manifest.multilabel
    assert manifest.examples() == rows
    assert [row.names for row in manifest.examples()] == [("ant", "bee"), (), None]
    assert manifest.class_names == ("ant", "bee")
    assert manifest.table.schema.equals(SCHEMA_OF_SETS)
    assert manifest.table["label"].null_count == 3
