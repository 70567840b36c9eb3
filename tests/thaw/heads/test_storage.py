"""Heads on disk."""

import json
from pathlib import Path

import pytest
import torch

from thaw.foundation.errors import BadArtifact
from thaw.heads import FittedHead, fit_head, read_head, write_head
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures

KINDS: tuple[HeadKind, ...] = ("linear", "knn", "mlp")


@pytest.fixture(scope="module")
def heads(few: LabelledFeatures) -> dict[str, FittedHead]:
    return {kind: fit_head(few, None, HeadParams(hidden=(16, 8), epochs=3), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_what_was_written(
    kind: str, heads: dict[str, FittedHead], tmp_path: Path, unseen: LabelledFeatures
) -> None:
    head = heads[kind]
    write_head(head, tmp_path)
    again = read_head(tmp_path)
    assert torch.equal(again.logits(unseen.features), head.logits(unseen.features))
    assert torch.equal(again.probabilities(unseen.features), head.probabilities(unseen.features))
    assert (again.kind, again.class_names, again.temperature) == (head.kind, head.class_names, head.temperature)
    assert again.trials == head.trials


def test_only_safetensors_and_json_are_written_and_the_bytes_repeat(
    heads: dict[str, FittedHead], tmp_path: Path
) -> None:
    for folder in (tmp_path / "one", tmp_path / "other"):
        write_head(heads["linear"], folder)
        assert sorted(path.name for path in folder.iterdir()) == ["head.json", "head.safetensors"]
    for name in ("head.json", "head.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("name", ["head.json", "head.safetensors"])
@pytest.mark.parametrize("kept", [0, 7, 100])
def test_a_torn_file_is_refused(name: str, kept: int, heads: dict[str, FittedHead], tmp_path: Path) -> None:
    write_head(heads["linear"], tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_head(tmp_path)


@pytest.mark.parametrize("name", ["head.json", "head.safetensors"])
def test_a_missing_file_is_refused(name: str, heads: dict[str, FittedHead], tmp_path: Path) -> None:
    write_head(heads["linear"], tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadArtifact, match=name):
        read_head(tmp_path)


def test_a_changed_byte_is_refused(heads: dict[str, FittedHead], tmp_path: Path) -> None:
    write_head(heads["linear"], tmp_path)
    content = bytearray((tmp_path / "head.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "head.safetensors").write_bytes(content)
    with pytest.raises(BadArtifact, match="not the file"):
        read_head(tmp_path)


def test_files_of_two_heads_are_refused(heads: dict[str, FittedHead], tmp_path: Path) -> None:
    """What a kill between the two writes leaves."""
    write_head(heads["mlp"], tmp_path)
    card = (tmp_path / "head.json").read_bytes()
    write_head(heads["linear"], tmp_path)
    (tmp_path / "head.json").write_bytes(card)
    with pytest.raises(BadArtifact, match="not the file"):
        read_head(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "thaw.head/3"},
        {"kind": "forest"},
        {"temperature": 0},
        {"temperature": None},
        {"unknown": 1},
        {"trials": 3},
    ],
)
def test_a_foreign_card_is_refused(change: dict[str, object], heads: dict[str, FittedHead], tmp_path: Path) -> None:
    write_head(heads["linear"], tmp_path)
    card = json.loads((tmp_path / "head.json").read_text())
    (tmp_path / "head.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(BadArtifact, match=r"head\.json"):
        read_head(tmp_path)


def test_a_card_of_another_kind_is_refused(heads: dict[str, FittedHead], tmp_path: Path) -> None:
    write_head(heads["linear"], tmp_path)
    card = json.loads((tmp_path / "head.json").read_text())
    (tmp_path / "head.json").write_text(json.dumps({**card, "kind": "knn", "neighbours": 3}))
    with pytest.raises(BadArtifact, match="rows"):
        read_head(tmp_path)


def test_a_head_without_scores_can_be_written(digits: LabelledFeatures, tmp_path: Path) -> None:
    head = fit_head(digits.rows(torch.arange(10)), None, HeadParams())
    write_head(head, tmp_path)
    assert read_head(tmp_path).trials == head.trials
