"""What was found of a batch of new images, as a record."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from thaw.foundation.files.records import write_record
from thaw.foundation.statistics.bootstrap import Estimate

What = Literal["inputs", "labels", "confidence", "neither"]


@dataclass(frozen=True)
class Origin:
    """Which model scored the batch, and when (UTC, ISO 8601)."""

    model: str
    version: int
    scored_at: str


@dataclass(frozen=True)
class LeftOut:
    """Scored files that are not compared: those that could not be used, copies of others, images of the reference itself, and what is beyond the most rows."""

    unusable: int = 0
    copies: int = 0
    reference: int = 0
    beyond: int = 0


@dataclass(frozen=True)
class Finding:
    """What one test found. statistic: squared MMD of inputs, chi-squared of labels, Kolmogorov-Smirnov distance of the confidence, new share of `neither` less
    the reference's. adjusted: the p-value by Holm, for all tests of the batch together. drifted: whether that is at most the rate of false alarms."""

    what: What
    statistic: float
    p_value: float
    adjusted: float
    drifted: bool


@dataclass(frozen=True)
class Histogram:
    """Shares of the reference and of the new images in bins; one edge more than bins."""

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    new: tuple[float, ...]


@dataclass(frozen=True)
class Separation:
    """What a linear classifier makes of it that never saw the rows: auroc, how often it tells a new image from one of the reference (0.5: as often as not); and
    its scores, larger for what looks new."""

    auroc: float
    scores: Histogram


@dataclass(frozen=True)
class LabelShare:
    """How often a class is named: shares of the reference and of the new images."""

    name: str
    reference: float
    new: float


@dataclass(frozen=True)
class Confidence:
    """The mean confidence, and how it is spread."""

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
    """A batch of new images against the held-out images that the model was measured on.

    rows: new images that were compared. reference_rows: the held-out ones; unseen_rows of them are of the test split, and what the model says is compared
    with those alone. needed: new rows, and unseen ones, that it takes to tell; with fewer there are no findings. false_alarms: how often, at most, any of the
    findings of a batch drifted though the batch is like the reference. other_way: whether the batch's features were computed otherwise than the reference's.
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
        """Whether there are rows enough to tell."""
        return min(self.rows, self.unseen_rows) >= self.needed

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """What has drifted."""
        return tuple(one for one in self.findings if one.drifted)

    @property
    def p_value(self) -> float | None:
        """The smallest adjusted p-value; None without findings."""
        return min((one.adjusted for one in self.findings), default=None)


@dataclass(frozen=True)
class Point:
    """One batch in the history of a version; p_value: the smallest adjusted one, None: too few to tell; neither: the share."""

    step: int
    rows: int
    p_value: float | None
    neither: float | None


_ADAPTER = TypeAdapter(DriftReport)


def write_report(report: DriftReport, path: Path) -> None:
    """Write the record as JSON, atomically."""
    write_record(_ADAPTER, report, path)
