"""Heads with a measure of the unknown that older code wrote: registered versions hold such files."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from written_before import EXPECTED, unpack

from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.models.prediction.answer import answer


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("records", tmp_path_factory.mktemp("records")) / "heads"


@pytest.mark.parametrize("name", sorted(EXPECTED["heads"]))
def test_they_say_what_they_said(name: str, heads: Path) -> None:
    known = EXPECTED["heads"][name]
    said = answer(
        read_head(heads / name),
        read_openness(heads / name),
        load_file(heads / "features.safetensors")[known["features"]],
    )
    assert said.class_names == tuple(known["class_names"]) and said.labels == known["labels"]
    assert np.allclose(said.probabilities, known["probabilities"], rtol=1e-6, atol=1e-6)
    if known["known_scores"] is None:
        assert said.known_scores is None
    else:
        assert said.known_scores == pytest.approx(np.array(known["known_scores"]), abs=1e-5)
