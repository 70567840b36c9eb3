"""The gate `parity`: whether what is deployed says the same as what was measured: cached features, pixels end to end, the exported model."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from thaw.foundation.errors import BadArtifact
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, not_measured, passed

GATE = "parity"
FILE = "report/parity.json"


class Agreement(BaseModel):
    """With the head on cached features: the share of rows with the same label, and the largest difference of a probability."""

    model_config = ConfigDict(frozen=True)

    labels_equal: float
    largest_difference: float


class Parity(BaseModel):
    """`report/parity.json`, over `rows` test images. pixels: None where there are no cached features to compare with, of a fine-tuned model.

    exported: None where the network cannot be exported; `reason` says why."""

    model_config = ConfigDict(frozen=True)

    rows: int
    pixels: Agreement | None = None
    exported: Agreement | None = None
    reason: str | None = None


def read_parity(path: Path) -> Parity:
    """Read the file.

    Raises:
        BadArtifact: it is damaged.
    """
    try:
        return Parity.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadArtifact(
            f"{path} holds no parity of this version; run `thaw run --stage evaluate` to make it again"
        ) from error


def parity(found: Parity | None, tolerance: float | None) -> Outcome:
    """Refuses a probability that differs by more than the tolerance; where the exported model was not measured it can't tell, which refuses, too."""
    if tolerance is None:
        return not_asked_by(GATE, "max_disagreement")
    if found is None:
        return not_measured(GATE, FILE)
    ways = {"pixels end to end": found.pixels, "the exported model": found.exported}
    measured = {name: way for name, way in ways.items() if way is not None}
    figures = {name: way.largest_difference for name, way in measured.items()}
    said = "; ".join(
        f"{name}: probabilities differ by up to {way.largest_difference:.2g}, {100 * way.labels_equal:.4g} % of the labels are the same"
        for name, way in measured.items()
    )
    words = f"on {found.rows} test images, {said or 'nothing was compared'}; promotion.max_disagreement allows {tolerance:g}"
    # Not `>`: a difference that is no number must not pass.
    if not all(difference <= tolerance for difference in figures.values()):
        return failed(GATE, words, figures)
    if found.exported is None:
        because = f" ({found.reason})" if found.reason else ""
        return cannot_tell(GATE, f"{words}; not compared: the exported model{because}", figures, refuses=True)
    return passed(GATE, words, figures)
