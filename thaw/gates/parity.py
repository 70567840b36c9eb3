"""The gate `parity`: the deployed model must agree with the measured model: cached features, files end to end, the exported model."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thaw.foundation.errors import BadArtifact
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, not_measured, passed

GATE = "parity"
FILE = "report/parity.json"


class Agreement(BaseModel):
    """The agreement with the head on cached features: the share of rows with the same label, and the largest difference of a probability."""

    model_config = ConfigDict(frozen=True)

    labels_equal: float
    largest_difference: float


class Parity(BaseModel):
    """`report/parity.json`, over `rows` test examples. files: None for a fine-tuned model, which has no cached features to compare with.

    exported: None if the network cannot be exported; `reason` says why."""

    model_config = ConfigDict(frozen=True)

    rows: int
    files: Agreement | None = Field(None, validation_alias="pixels")
    exported: Agreement | None = None
    reason: str | None = None


def read_parity(path: Path) -> Parity:
    """Read the file.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    try:
        return Parity.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadArtifact(
            f"{path} holds no parity of this version; run `thaw run --stage evaluate` to make it again"
        ) from error


def parity(measurement: Parity | None, tolerance: float | None) -> Outcome:
    """The gate refuses a probability that differs by more than the tolerance. If the exported model was not measured, it can't tell, and refuses as well."""
    if tolerance is None:
        return not_asked_by(GATE, "max_disagreement")
    if measurement is None:
        return not_measured(GATE, FILE)
    ways = {"files end to end": measurement.files, "the exported model": measurement.exported}
    measured = {name: way for name, way in ways.items() if way is not None}
    figures = {name: way.largest_difference for name, way in measured.items()}
    comparisons = "; ".join(
        f"{name}: probabilities differ by up to {way.largest_difference:.2g}, {100 * way.labels_equal:.4g} % of the labels are the same"
        for name, way in measured.items()
    )
    words = f"on {measurement.rows} test examples, {comparisons or 'nothing was compared'}; promotion.max_disagreement allows {tolerance:g}"
    # The comparison is not `>`, because a difference that is no number must not pass.
    if not all(difference <= tolerance for difference in figures.values()):
        return failed(GATE, words, figures)
    if measurement.exported is None:
        because = f" ({measurement.reason})" if measurement.reason else ""
        return cannot_tell(GATE, f"{words}; the exported model was not compared{because}", figures, refuses=True)
    return passed(GATE, words, figures)
