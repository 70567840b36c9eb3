"""The reference on disk, and which images it holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drifting import reference

from thaw.dataset.manifest import Example
from thaw.drift.reference import MOST_ROWS, Reference, held_out, read_reference, write_reference
from thaw.foundation.errors import BadArtifact


def example(number: int, split: str) -> Example:
    return Example(number.to_bytes(32, "big"), f"{number}.png", "ant", split, None, (8, 8, 3), 1)  # type: ignore[arg-type]


def is_same(one: Reference, other: Reference) -> bool:
    pairs = [(one.unseen, other.unseen)] + [
        (getattr(one.rows, name), getattr(other.rows, name))
        for name in ("features", "named", "confidences", "accepted", "known_scores")
    ]
    return (one.layer, one.class_names, one.rows.digests) == (
        other.layer,
        other.class_names,
        other.rows.digests,
    ) and all((a is None and b is None) or (a.dtype == b.dtype and np.array_equal(a, b)) for a, b in pairs)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    known, path = reference(), tmp_path / "reference.parquet"
    write_reference(known, path)
    first = path.read_bytes()
    assert is_same(read_reference(path), known)
    write_reference(known, path)
    assert path.read_bytes() == first


def test_so_are_one_without_openness_and_one_of_sets(tmp_path: Path) -> None:
    known, path = reference(), tmp_path / "reference.parquet"
    closed = replace(known, rows=replace(known.rows, accepted=None, known_scores=None))
    of_sets = replace(
        closed,
        rows=replace(
            closed.rows, confidences=None, named=closed.rows.features[:, :3] > closed.rows.features[:, :3].mean(0)
        ),
    )
    for one in (closed, of_sets):
        write_reference(one, path)
        assert is_same(read_reference(path), one)
    assert set(of_sets.rows.named.sum(1)) > {1}, "some sets have several names, or none"


@pytest.mark.parametrize("content", [b"", b"no Parquet", None])
def test_what_is_no_reference_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "reference.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadArtifact, match="thaw run --stage evaluate"):
        read_reference(path)


def test_the_test_split_comes_first_and_each_content_once() -> None:
    test = [example(number, "test") for number in (5, 3, 5)]
    val = [example(number, "val") for number in (3, 9, 1)]
    assert [(one.digest[-1], one.split) for one in held_out(test, val)] == [
        (3, "test"), (5, "test"), (1, "val"), (9, "val"),
    ]  # fmt: skip
    many = [example(number, "test") for number in range(MOST_ROWS + 5)]
    assert len(held_out(many, val)) == MOST_ROWS
