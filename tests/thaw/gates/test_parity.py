"""The gate `parity`."""

from pathlib import Path

import pytest

from thaw.foundation.errors import BadArtifact
from thaw.gates.parity import parity, read_parity

PARITY = '{"rows": 60, "pixels": {"labels_equal": 1.0, "largest_difference": 0.001}, "exported": %s}'


@pytest.mark.parametrize(
    ("exported", "verdict", "refuses"),
    [
        ('{"labels_equal": 1.0, "largest_difference": 0.009}', "pass", False),
        ('{"labels_equal": 0.9, "largest_difference": 0.02}', "fail", True),
        ('{"labels_equal": 1.0, "largest_difference": NaN}', "fail", True),
        ("null", "can't tell", True),
    ],
)
def test_parity_holds_every_way_to_the_tolerance(tmp_path: Path, exported: str, verdict: str, refuses: bool) -> None:
    (file := tmp_path / "parity.json").write_text(PARITY % exported)
    outcome = parity(read_parity(file), 0.01)
    assert (outcome.verdict, outcome.refuses) == (verdict, refuses) and "on 60 test examples" in outcome.words


def test_a_fine_tuned_model_has_no_cached_features_to_compare_with(tmp_path: Path) -> None:
    agreement = '{"labels_equal": 1.0, "largest_difference": 0.001}'
    (file := tmp_path / "parity.json").write_text(f'{{"rows": 60, "pixels": null, "exported": {agreement}}}')
    assert parity(read_parity(file), 0.01).verdict == "pass"
    file.write_text('{"rows": 60, "pixels": null, "exported": null, "reason": "it loops"}')
    outcome = parity(read_parity(file), 0.01)
    assert outcome.refuses and "the exported model was not compared (it loops)" in outcome.words


def test_parity_that_is_damaged_is_named(tmp_path: Path) -> None:
    (file := tmp_path / "parity.json").write_text('{"rows": "many"}')
    with pytest.raises(BadArtifact, match=r"parity.json holds no parity"):
        read_parity(file)
