"""The record of the advice, on disk as `data/advice.json`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.cases import Case, Comparison, LayerEvidence
from thaw.strategies.advice.learning_curve import LearningCurve
from thaw.strategies.advice.options import Option
from thaw.strategies.advice.size import Size
from thaw.targets.target import Target, TargetName, target_named


@dataclass(frozen=True)
class Evidence:
    """The evidence of the advice. rows: number of judging rows, of `labelled` ones in train and validation (of very many rows only a sample judges). folds,
    repeats: of the draws. confidence: of every interval. validation, test: numbers of labelled examples in these splits."""

    rows: int
    labelled: int
    folds: int
    repeats: int
    confidence: float
    validation: int
    test: int


@dataclass(frozen=True)
class Decision:
    """The strategy that later stages follow, its reason, and its predicted accuracy or macro F1 (None: not measured)."""

    strategy: Strategy
    reason: str
    predicted: Estimate | None


@dataclass(frozen=True)
class Advice:
    """The advice. layers: in order of depth. resolution: the smallest gain in accuracy that `evidence.rows` could tell from chance; None: not known.
    comparison: None without references. recommended: the choice of `auto`. followed: the choice of the parameters. target: of the labels; each figure named
    accuracy is its headline, which is macro F1 for label sets. texts: the texts that stand for the classes in zero-shot, class by class; empty without a text
    tower.
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
    texts: tuple[str, ...] = ()
    format: Literal["thaw.advice/1"] = "thaw.advice/1"

    @property
    def judged_by(self) -> Target:
        """The target of the labels; options are judged by its headline."""
        return target_named(self.target)


_ADVICE = TypeAdapter(Advice)
_PREDICTED = TypeAdapter(Estimate | None)


def write_advice(advice: Advice, path: Path) -> None:
    """Write the advice as JSON, atomically."""
    write_record(_ADVICE, advice, path)


def read_advice(path: Path) -> Advice:
    """Read the advice of `write_advice`.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    return read_record(_ADVICE, path, lambda error: _say(path, error))


def as_json(advice: Advice) -> object:
    """The plain values of `data/advice.json`."""
    return _ADVICE.dump_python(advice, mode="json", by_alias=True)


def write_predicted(predicted: Estimate | None, path: Path) -> None:
    """Write the predicted headline of the followed strategy as JSON; the same value gives the same bytes."""
    write_record(_PREDICTED, predicted, path)


def read_predicted(path: Path) -> Estimate | None:
    """Read the value of `write_predicted`.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    return read_record(_PREDICTED, path, lambda error: _say(path, error))


def _say(path: Path, error: Exception) -> str:
    reason = "it is not of this version" if isinstance(error, ValidationError) else str(error)
    return f"{path} cannot be read ({reason}); run `thaw run --stage advise` to make it again"
