"""The shortcut is taken only where nothing has changed, and without loading what computes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from thaw.features.extraction import nothing_to_do
from thaw.features.extraction.nothing_to_do import look, record_settled, settled_index
from thaw.features.store.store import FeatureIndex, FeatureStore, Layer, hash_digests
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "flatten", 4)
DIGESTS = [digest_bytes(bytes([number])) for number in range(6)]
INDEX = FeatureIndex("resnet18", "float32", (LAYER,), 6, hash_digests(DIGESTS))


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    paths = (tmp_path / "manifest.parquet", tmp_path / "weights.pth")
    for path in paths:
        path.write_bytes(path.name.encode())
    store = FeatureStore(tmp_path / "features")
    for start in (0, 3):
        store.write(LAYER, DIGESTS[start : start + 3], torch.randn(3, 4), {})
    record_settled(tmp_path / "record.json", look("asked", paths), store, INDEX)
    return paths


def found(tmp_path: Path, inputs: tuple[Path, Path], asked: str = "asked") -> FeatureIndex | None:
    return settled_index(tmp_path / "record.json", asked, inputs)


def parts(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "features").rglob("part-*.parquet"))


def test_nothing_changed(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    assert found(tmp_path, inputs) == INDEX


def test_touched_files_are_told_by_their_digest(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    for path in (*inputs, *parts(tmp_path)):
        os.utime(path, ns=(1, 1))
    assert found(tmp_path, inputs) == INDEX


def test_more_parts_do_not_matter(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    FeatureStore(tmp_path / "features").write(LAYER, [b"x" * 32], torch.randn(1, 4), {})
    assert found(tmp_path, inputs) == INDEX


@pytest.mark.parametrize("which", ["manifest", "weights", "part"])
@pytest.mark.parametrize("how", ["gone", "longer", "flipped"])
def test_every_change_of_a_file_is_seen(tmp_path: Path, inputs: tuple[Path, Path], which: str, how: str) -> None:
    path = {"manifest": inputs[0], "weights": inputs[1], "part": parts(tmp_path)[0]}[which]
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content + b"x" if how == "longer" else content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(path, ns=(1, 1))
    assert found(tmp_path, inputs) is None


def test_other_parameters_libraries_code_and_records(
    tmp_path: Path, inputs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(tmp_path, inputs, "something else") is None
    assert found(tmp_path, (inputs[0], tmp_path / "other.pth")) is None
    now = nothing_to_do._made()
    for name in ("torch", "pillow", "code"):
        monkeypatch.setattr(nothing_to_do, "_made", lambda name=name: now | {name: "another"})
        assert found(tmp_path, inputs) is None
    monkeypatch.undo()
    record = tmp_path / "record.json"
    record.write_bytes(record.read_bytes()[:50])
    assert found(tmp_path, inputs) is None
    record.unlink()
    assert found(tmp_path, inputs) is None


def test_neither_the_library_that_computes_nor_one_that_decodes_is_loaded() -> None:
    code = "import tasks.stages.extract, sys; print([name for name in ('torch', 'torchvision', 'PIL') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_index_is_written_as_it_was(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    other = replace(INDEX, layers=(LAYER, replace(LAYER, view="hflip", fingerprint="0" * 32)))
    record_settled(tmp_path / "record.json", look("asked", inputs), FeatureStore(tmp_path / "features"), other)
    assert found(tmp_path, inputs) == other


def test_what_is_replaced_while_a_run_goes_on_is_another_runs(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    beginning = look("asked", inputs)
    inputs[1].write_bytes(b"other weights")
    record_settled(tmp_path / "record.json", beginning, FeatureStore(tmp_path / "features"), INDEX)
    assert found(tmp_path, inputs) is None
