"""The file of slices beside the manifest."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.places import Places
from thaw.dataset.slices import Slices, read_slices, write_slices
from thaw.foundation.errors import BadArtifact
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams


def ingested(root: Path, slices: tuple[str, ...]) -> Ingested:
    files = sorted(path.relative_to(root) for path in root.glob("*/*"))
    rows = [f"{file},{file.parent.name},{'north' if n % 3 else ''},{n % 2}" for n, file in enumerate(files)]
    (root / "list.csv").write_text("\n".join(["path,label,site,scanner", *rows]))
    return ingest(Places(root), DatasetParams(source="source", listing="list.csv", slices=slices), KIND)


def test_they_follow_the_manifest_which_stays_as_it_is(picture_folder: Path, tmp_path: Path) -> None:
    without, found = ingested(picture_folder, ()), ingested(picture_folder, ("scanner", "site"))
    slices = found.slices
    assert without.slices is None and found.manifest.table.equals(without.manifest.table) and slices is not None
    assert slices.paths == tuple(found.manifest.table["path"].to_pylist())
    assert slices.digests == tuple(found.manifest.digests)
    assert slices.column("scanner") == ("0", "1") * 6 and slices.column("site") == (None, "north", "north") * 4
    for name in ("first", "second"):
        write_slices(slices, tmp_path / name)
    assert read_slices(tmp_path / "first") == slices
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_some_of_the_rows() -> None:
    slices = Slices(("site",), (b"1" * 32, b"2" * 32), ("a", "b"), (("north", None),))
    assert slices.of_paths(["b", "a"]) == Slices(("site",), (b"2" * 32, b"1" * 32), ("b", "a"), ((None, "north"),))
    assert slices.of_digests({b"2" * 32}).paths == ("b",)
    with pytest.raises(BadArtifact, match="`c` are not known"):
        slices.of_paths(["c"])


def test_no_file_means_none_and_another_file_is_refused(tmp_path: Path) -> None:
    assert read_slices(tmp_path / "gone") is None
    (tmp_path / "broken").write_bytes(b"PAR1")
    pq.write_table(pa.table({"site": ["north"]}), tmp_path / "other")
    for name in ("broken", "other"):
        with pytest.raises(BadArtifact, match="thaw run"):
            read_slices(tmp_path / name)
