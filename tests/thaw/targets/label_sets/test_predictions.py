"""Predictions of label sets on disk."""

from pathlib import Path

import numpy as np
import pytest
from registration import predictions as single_predictions

from thaw.foundation.errors import BadArtifact
from thaw.targets.label_sets.predictions import LabelSetPredictions, read_any_predictions, write_label_set_predictions
from thaw.targets.predictions import Predictions, write_predictions


def sets_of(
    named: "np.ndarray", targets: "np.ndarray", names: tuple[str, ...] = ("ant", "bee", "wasp")
) -> LabelSetPredictions:
    rows = len(targets)
    return LabelSetPredictions(
        names,
        tuple(number.to_bytes(32, "big") for number in range(rows)),
        tuple(f"{number}.png" for number in range(rows)),
        targets,
        named,
        np.where(named, 0.8, 0.1).astype(np.float32),
    )


def test_they_come_back_and_the_same_ones_give_the_same_bytes(tmp_path: Path) -> None:
    targets = np.array([[1, 0, 1], [0, 0, 0]], np.bool_)
    said = sets_of(~targets, targets)
    for name in ("one", "two"):
        write_label_set_predictions(said, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = read_any_predictions(tmp_path / "one")
    assert isinstance(found, LabelSetPredictions)
    assert (found.class_names, found.digests, found.paths) == (said.class_names, said.digests, said.paths)
    for name in ("targets", "named", "probabilities"):
        assert np.array_equal(getattr(found, name), getattr(said, name))
    assert found.names(found.targets[0]) == ("ant", "wasp")


def test_single_labels_are_told_apart_and_what_is_neither_is_refused(tmp_path: Path) -> None:
    write_predictions(single_predictions(["ant", "bee"], ["ant", "ant"]), tmp_path / "single")
    assert isinstance(read_any_predictions(tmp_path / "single"), Predictions)
    (tmp_path / "torn").write_bytes(b"PAR1 half")
    for name in ("torn", "missing"):
        with pytest.raises(BadArtifact, match="thaw run --stage evaluate"):
            read_any_predictions(tmp_path / name)
