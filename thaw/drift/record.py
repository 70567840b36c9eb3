"""The record of a comparison: a batch of new examples against the reference."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from thaw.foundation.files.records import write_record
from thaw.foundation.statistics.bootstrap import Estimate

Aspect = Literal["inputs", "labels", "confidence", "neither"]


@dataclass(frozen=True)
class Origin:
    """The model that scored the batch, and the time (UTC, ISO 8601)."""

    model: str
    version: int
    scored_at: str


@dataclass(frozen=True)
class LeftOut:
    """Counts of scored files that are not compared: unusable files, copies of others, examples of the reference itself, and those beyond the largest number."""

    unusable: int = 0
    copies: int = 0
    reference: int = 0
    beyond: int = 0


@dataclass(frozen=True)
class Finding:
    """The result of one test. statistic: squared MMD of inputs, chi-squared of labels, Kolmogorov-Smirnov distance of the confidence, new share of `neither`
    minus the reference's. adjusted: the p-value by Holm, for all tests of the batch together. drifted: whether it is at most the rate of false alarms."""

    what: Aspect
    statistic: float
    p_value: float
    adjusted: float
    drifted: bool


@dataclass(frozen=True)
class Histogram:
    """Shares of the reference and of the new examples in bins; there is one more edge than bins."""

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    new: tuple[float, ...]


@dataclass(frozen=True)
class Separation:
    """The scores of a linear classifier that did not learn from the rows, larger for examples that look new; auroc: the share of pairs in which it recognises
    the new example beside one of the reference (0.5 by chance)."""

    auroc: float
    scores: Histogram


@dataclass(frozen=True)
class LabelShare:
    """The shares of the reference and of the new examples for which a class is named."""

    name: str
    reference: float
    new: float


@dataclass(frozen=True)
class Confidence:
    """The mean confidences and their histogram."""

    reference: float
    new: float
    spread: Histogram


@dataclass(frozen=True)
class Neither:
    """Shares of `neither`, each with its interval."""

    reference: Estimate
    new: Estimate


@dataclass(frozen=True)
class DriftReport:
    """A batch of new examples against the held-out examples that the model was measured on.

    rows: number of new examples that were compared. reference_rows: number of held-out examples; unseen_rows of them are of the test split, and answers are
    compared with those alone. needed: the least number of new rows and of unseen rows; with fewer there are no findings. false_alarms: the largest rate of
    batches like the reference in which a finding drifted. other_way: whether the batch's features were computed differently from the reference's.
    """

    origin: Origin
    rows: int
    reference_rows: int
    unseen_rows: int
    left_out: LeftOut
    needed: int
    false_alarms: float
    permutations: int
    confidence_level: float
    other_way: bool
    findings: tuple[Finding, ...]
    separation: Separation | None
    labels: tuple[LabelShare, ...]
    confidence: Confidence | None
    neither: Neither | None

    @property
    def enough(self) -> bool:
        """Whether there are enough rows for the tests."""
        return min(self.rows, self.unseen_rows) >= self.needed

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """The findings that drifted."""
        return tuple(finding for finding in self.findings if finding.drifted)

    @property
    def p_value(self) -> float | None:
        """The smallest adjusted p-value; None without findings."""
        return min((finding.adjusted for finding in self.findings), default=None)


@dataclass(frozen=True)
class Point:
    """One batch in the history of a version. p_value: the smallest adjusted p-value; None if there were too few rows. neither: the share."""

    step: int
    rows: int
    p_value: float | None
    neither: float | None


_ADAPTER = TypeAdapter(DriftReport)


def write_report(report: DriftReport, path: Path) -> None:
    """Write the record as JSON, atomically."""
    write_record(_ADAPTER, report, path)
