"""Openness on disk: the same numbers again, and nothing torn or mixed up is taken."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from openness_rows import QUICK, digits, head_on_digits, openness_on_digits

from thaw.foundation.errors import BadArtifact
from thaw.heads import fit_head, write_head
from thaw.heads.open_set import Openness, read_openness, remove_openness, write_openness
from thaw.heads.open_set.fitting import SCORES, fit_openness
from thaw.heads.open_set.storage import CARD, TENSORS
from thaw.params.sections import OpennessParams


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_head(head_on_digits(), tmp_path)
    write_openness(openness_on_digits("mahalanobis"), tmp_path)
    return tmp_path


def same(one: Openness, other: Openness) -> bool:
    fresh = digits(10, 50, skip=900).features
    scores = [openness.known_scores(head_on_digits(), fresh) for openness in (one, other)]
    return torch.equal(*scores) and (one.threshold, one.tuning, one.background) == (
        other.threshold, other.tuning, other.background,
    )  # fmt: skip


@pytest.mark.parametrize("score", SCORES)
def test_it_comes_back_to_the_bit(tmp_path: Path, score: str) -> None:
    write_head(head_on_digits(), tmp_path)
    written = openness_on_digits(score)
    write_openness(written, tmp_path)
    read = read_openness(tmp_path)
    assert read is not None and same(read, written)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_openness(read, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_background_comes_back(tmp_path: Path) -> None:
    rows = digits(4, 200)
    head = fit_head(rows, None, QUICK)
    written = fit_openness(head, rows, None, params=OpennessParams(background="3"), head_params=QUICK)
    assert written is not None
    write_head(head, tmp_path)
    write_openness(written, tmp_path)
    read = read_openness(tmp_path)
    assert read is not None and (read.background, read.threshold) == ("3", written.threshold)
    assert torch.equal(read.known_scores(head, rows.features), written.known_scores(head, rows.features))


def test_a_head_without_one_has_none(folder: Path) -> None:
    remove_openness(folder)
    assert read_openness(folder) is None
    remove_openness(folder)
    assert {path.name for path in folder.iterdir()} == {"head.json", "head.safetensors"}


@pytest.mark.parametrize("name", [CARD, TENSORS])
@pytest.mark.parametrize("keep", [None, 0, 10, -1])
def test_torn_and_missing_files_are_said(folder: Path, name: str, keep: int | None) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    if keep is not None:
        (folder / name).write_bytes(whole[:keep].rstrip())
    if name == CARD and keep == -1:  # its last byte is the end of the line
        assert read_openness(folder) is not None
        return
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_openness(folder)


def test_one_flipped_bit_is_found(folder: Path) -> None:
    content = bytearray((folder / TENSORS).read_bytes())
    content[-1] ^= 1
    (folder / TENSORS).write_bytes(content)
    with pytest.raises(BadArtifact, match="written with another head or another"):
        read_openness(folder)


def test_another_head_is_found(folder: Path) -> None:
    write_head(fit_head(digits(5, 200), None, QUICK), folder)
    with pytest.raises(BadArtifact, match="written with another head"):
        read_openness(folder)


@pytest.mark.parametrize(
    "change", [{"format": "thaw.openness/2"}, {"score": "magic"}, {"more": 1}, {"threshold": "NaN"}]
)
def test_another_version_is_refused(folder: Path, change: dict[str, object]) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | change))
    with pytest.raises(BadArtifact, match="not of this version"):
        read_openness(folder)


def test_a_card_that_promises_other_tensors_is_refused(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    for score in ("neighbours", "background"):
        (folder / CARD).write_text(json.dumps(card | {"score": score}))
        with pytest.raises(BadArtifact, match="cannot be read"):
            read_openness(folder)


def test_a_folder_without_a_head_is_said(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "alone", ignore=shutil.ignore_patterns("head*", "alone"))
    with pytest.raises(BadArtifact):
        read_openness(tmp_path / "alone")
