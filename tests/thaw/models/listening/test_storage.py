"""Trigger models on disk: the same scores and promise, and nothing of a folder that is torn."""

import json
from pathlib import Path

import pytest
import torch
from listening_models import PLACES, trigger_model

from thaw.foundation.errors import BadArtifact
from thaw.heads.trigger.storage import CARD, TENSORS
from thaw.models.listening.storage import read_trigger, write_trigger


@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_that_was_written_is_read(tmp_path: Path, layers: int) -> None:
    model = trigger_model(layers=layers)
    write_trigger(model, tmp_path / "glass")
    read = read_trigger(tmp_path / "glass")
    assert (read.word, read.refractory, read.promise) == (model.word, model.refractory, model.promise)
    sequence = 10 * torch.randn(30, 96, generator=torch.Generator().manual_seed(1))
    assert torch.equal(read.detector.scores(sequence), model.detector.scores(sequence))
    assert read.detector.places == PLACES
    assert read.backbone.weights_digest == model.backbone.weights_digest


def test_the_same_model_gives_the_same_bytes_and_replaces_an_older_one(tmp_path: Path) -> None:
    write_trigger(trigger_model(threshold=3.0), tmp_path / "one")
    for name in ("one", "two"):
        write_trigger(trigger_model(), tmp_path / name)
    files = {name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")}
    assert files["one"] == files["two"]
    assert set(files["one"]) == {CARD, TENSORS, "backbone.json", "backbone.safetensors"}


def test_a_torn_or_foreign_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "glass"
    with pytest.raises(BadArtifact, match="cannot be read"):
        read_trigger(folder)
    write_trigger(trigger_model(), folder)
    card = json.loads((folder / CARD).read_text())
    content = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(content[:-1])
    with pytest.raises(BadArtifact, match="is not the file that"):
        read_trigger(folder)
    (folder / TENSORS).write_bytes(content)
    (folder / CARD).write_text(json.dumps({**card, "more": 1}))
    with pytest.raises(BadArtifact, match="of this version"):
        read_trigger(folder)
