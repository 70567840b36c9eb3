"""All that the advice found, on disk as `data/advice.json`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.params.strategy import Strategy
from thaw.strategies.advice.cases import Case, Comparison, LayerEvidence
from thaw.strategies.advice.learning_curve import LearningCurve
from thaw.strategies.advice.options import Option
from thaw.strategies.advice.size import Size
from thaw.targets.target import Target, TargetName, target_named


@dataclass(frozen=True)
class Evidence:
    """What stood behind the advice: rows that judged, of `labelled` ones in train and validation (fewer judge where there are very many); how often the
    folds were drawn; the confidence of every interval; labelled images of the validation and of the test split."""

    rows: int
    labelled: int
    folds: int
    repeats: int
    confidence: float
    validation: int
    test: int


@dataclass(frozen=True)
class Decision:
    """The strategy that later stages follow, why, and the accuracy, or macro F1, that is predicted for it (None: not measured)."""

    strategy: Strategy
    reason: str
    predicted: Estimate | None


@dataclass(frozen=True)
class Advice:
    """The advice. layers: in order of depth. resolution: the smallest gain, in accuracy, that `evidence.rows` could tell from chance; None: not known.
    comparison: None where nothing was compared. recommended: what `auto` would follow; followed: what the parameters made of it. target: what labels are; each
    figure that is called an accuracy is the target's headline, of label sets the macro F1.
    """

    evidence: Evidence
    size: Size
    layers: tuple[LayerEvidence, ...]
    comparison: Comparison | None
    curve: LearningCurve | None
    case: Case
    doubts: tuple[str, ...]
    options: tuple[Option, ...]
    resolution: float | None
    recommended: Decision
    followed: Decision
    automatic: bool
    target: TargetName = "one_label"
    format: Literal["thaw.advice/1"] = "thaw.advice/1"

    @property
    def judged_by(self) -> Target:
        """What labels are, which says what options are judged by."""
        return target_named(self.target)


_ADVICE = TypeAdapter(Advice)
_PREDICTED = TypeAdapter(Estimate | None)


def write_advice(advice: Advice, path: Path) -> None:
    """Write the advice as JSON, atomically."""
    write_record(_ADVICE, advice, path)


def read_advice(path: Path) -> Advice:
    """Read what `write_advice` wrote.

    Raises:
        BadArtifact: it is missing or damaged.
    """
    return read_record(_ADVICE, path, lambda error: _say(path, error))


def write_predicted(predicted: Estimate | None, path: Path) -> None:
    """Write the headline that is predicted for the strategy that is followed, as JSON; the same gives the same bytes."""
    write_record(_PREDICTED, predicted, path)


def read_predicted(path: Path) -> Estimate | None:
    """Read what `write_predicted` wrote.

    Raises:
        BadArtifact: it is missing or damaged.
    """
    return read_record(_PREDICTED, path, lambda error: _say(path, error))


def _say(path: Path, error: Exception) -> str:
    reason = "it is not of this version" if isinstance(error, ValidationError) else str(error)
    return f"{path} cannot be read ({reason}); run `thaw run --stage advise` to make it again"
