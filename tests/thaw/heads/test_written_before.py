"""Heads that older code wrote, before there was one form for all targets: registered versions hold such files."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from thaw.heads import read_head, write_head
from thaw.heads.open_set import read_openness
from thaw.models.prediction.answer import answer

FOLDER = Path(__file__).parent / "written_before"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_they_say_what_they_said(name: str) -> None:
    known = EXPECTED[name]
    features = load_file(FOLDER / "features.safetensors")[known["features"]]
    said = answer(read_head(FOLDER / name), read_openness(FOLDER / name), features)
    assert np.allclose(said.probabilities, known["probabilities"], atol=1e-6)
    if said.target.exclusive:
        assert said.labels == known["labels"]
    else:
        assert said.named.tolist() == known["named"]
        assert read_head(FOLDER / name).thresholds == tuple(known["thresholds"])
    if known.get("known_scores") is not None:
        assert said.known_scores == pytest.approx(np.array(known["known_scores"]), abs=1e-5)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_written_anew_they_are_the_same_heads(name: str, tmp_path: Path) -> None:
    old = read_head(FOLDER / name)
    write_head(old, tmp_path)
    new = read_head(tmp_path)
    features = load_file(FOLDER / "features.safetensors")[EXPECTED[name]["features"]]
    assert (new.probabilities(features) == old.probabilities(features)).all()
    assert (new.thresholds, new.trials, new.class_names) == (old.thresholds, old.trials, old.class_names)
    assert json.loads((tmp_path / "head.json").read_text(encoding="utf-8"))["format"] == "thaw.head/2"
