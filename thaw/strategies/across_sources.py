"""Leave one source out: what a hospital, or another site, can expect of a model that has seen nothing of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter
from scipy import sparse
from scipy.special import stdtrit
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.foundation.files.records import write_record
from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    one_of_each,
    percentile_interval,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import each_its_own, unless_single
from thaw.heads.fitted import FittedHead
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import NEVER, BoolArray, Target, TargetName


@dataclass(frozen=True)
class SourceResult:
    """The headline on the rows of one source. groups: of the rows, such as patients.

    unseen: of a head that learnt from the other sources alone. seen: of heads that learnt from rows of this source too, out of fold. loss: seen minus unseen.
    """

    source: str
    rows: int
    groups: int
    unseen: Estimate
    seen: Estimate
    loss: Estimate


@dataclass(frozen=True)
class LeftOut:
    """A source that could not be judged; reason: the end of a sentence."""

    source: str
    reason: str


@dataclass(frozen=True)
class Across:
    """The comparison across the sources of a column.

    expected: the headline that one more source can expect: the mean over the sources, and the interval in which that of a new source lies. unstated: the number
    of rows whose source is not stated; no head learns from them.
    """

    column: str
    target: TargetName
    confidence: float
    sources: tuple[SourceResult, ...]
    left_out: tuple[LeftOut, ...]
    unstated: int
    expected: Estimate


_ADAPTER = TypeAdapter(Across)


def write_across(across: Across, path: Path) -> None:
    """Write the comparison as JSON, atomically; the same comparison gives the same bytes."""
    write_record(_ADAPTER, across, path)


@dataclass(frozen=True, eq=False)
class SourcedRows:
    """Labelled rows with the source of each; None: it is not stated."""

    labelled: LabelledFeatures
    sources: tuple[str | None, ...]

    def stated(self) -> "SourcedRows":
        """The rows with a source."""
        kept = torch.tensor([source is not None for source in self.sources], dtype=torch.bool)
        return SourcedRows(self.labelled.rows(kept), tuple(each for each in self.sources if each is not None))


Fit = Callable[[LabelledFeatures], FittedHead]
"""A function that makes a head of labelled rows, with every choice within them."""


def compare_across(column: str, rows: SourcedRows, params: HeadParams, fit: Fit, resampling: Resampling) -> Across:
    """Fit a head without each source in turn, and judge it on that source; params: of the folds in which heads that know the source are judged.

    Rows of a group that is in several sources are judged, and not learnt from.

    Raises:
        BadManifest: fewer than two sources can be judged.
    """
    known = rows.stated()
    labelled, target = known.labelled, known.labelled.target
    groups = each_its_own(len(labelled)) if labelled.groups is None else np.asarray(labelled.groups.numpy(), np.int64)
    seen = _seen(labelled, params, fit)
    results, left_out = [], []
    for source in sorted({source for source in known.sources if source is not None}):
        own = np.array([each == source for each in known.sources])
        learnt = torch.from_numpy(~own & ~np.isin(groups, groups[own]))
        if reason := _why_not(labelled, learnt):
            left_out.append(LeftOut(source, reason))
            continue
        judged = torch.from_numpy(own)
        named = _named(labelled.rows(learnt), labelled.features[judged], fit)
        unseen = target.tally(named, labelled.targets[judged])
        results.append(_result(source, target, (unseen, seen[own]), groups[own], resampling))
    if len(results) < 2:
        reasons = "; ".join(f"{each.source}: {each.reason}" for each in left_out)
        raise BadManifest(
            f"the column {column} has {len(results)} sources that can be left out, and a comparison needs two: label examples of other sources"
            + (f" ({reasons})" if reasons else "")
        )
    return Across(
        column,
        target.name,
        resampling.confidence,
        tuple(results),
        tuple(left_out),
        len(rows.sources) - len(known.sources),
        expected_of([result.unseen.value for result in results], resampling.confidence),
    )


def expected_of(values: Sequence[float], confidence: float) -> Estimate:
    """The mean of the sources' values, two or more, with the interval for the value of one more source, between 0 and 1.

    The interval is Student's t prediction interval. It takes in what varies between sources, and within each. Source: Higgins, Thompson and Spiegelhalter,
    "A re-evaluation of random-effects meta-analysis", JRSS A 2009, section 4 (the predictive distribution), here with equal weights.
    """
    mean, count = float(np.mean(values)), len(values)
    margin = float(stdtrit(count - 1, (1 + confidence) / 2)) * float(np.std(values, ddof=1)) * (1 + 1 / count) ** 0.5
    return Estimate(mean, max(0.0, mean - margin), min(1.0, mean + margin))


def _why_not(labelled: LabelledFeatures, learnt: Tensor) -> str | None:
    counts = labelled.target.class_counts(labelled.targets[learnt], len(labelled.class_names))
    if lacking := [name for name, count in zip(labelled.class_names, counts.tolist(), strict=True) if not count]:
        return f"no other source shows {', '.join(lacking)}"
    if not labelled.target.is_teachable(labelled.targets[learnt], len(labelled.class_names)):
        return "the other sources show a class in every row"
    return None


def _named(train: LabelledFeatures, features: Tensor, fit: Fit) -> Tensor:
    head = fit(train)
    return head.named(head.probabilities(features))


def _seen(labelled: LabelledFeatures, params: HeadParams, fit: Fit) -> BoolArray:
    """The tallies of every row by a head that was fitted without its fold; a row that no fold holds out is judged by a head of the first fold's rows."""
    target = labelled.target
    folds = target.folds(labelled.targets, count=params.folds, seed=params.seed, groups=labelled.groups)
    held = torch.where(folds == NEVER, 0, folds)
    named = torch.zeros(len(labelled), len(labelled.class_names), dtype=torch.bool)
    for fold in held.unique().tolist():
        own = held == fold
        named[own] = _named(labelled.rows((folds != fold) | (folds == NEVER)), labelled.features[own], fit)
    return target.tally(named, labelled.targets)


def _result(
    source: str, target: Target, tallies: tuple[BoolArray, BoolArray], groups: IntArray, resampling: Resampling
) -> SourceResult:
    count = len(np.unique(groups))
    unseen, seen, loss = _headlines(target, tallies, groups, resampling)
    return SourceResult(source, len(groups), count, unseen, seen, loss)


def _headlines(
    target: Target, tallies: tuple[BoolArray, BoolArray], groups: IntArray, resampling: Resampling
) -> tuple[Estimate, Estimate, Estimate]:
    """The headline of the first tallies, of the second, and the second minus the first, with percentile intervals over groups."""
    summands = [sparse.csr_array(part.T, dtype=np.float64) for part in tallies]
    statistics = stacked([*summands, one_of_each(len(groups))])
    width = tallies[0].shape[1]

    def measure(sums: FloatArray) -> FloatArray:
        first = target.headline_of(sums[:width], sums[-1])
        second = target.headline_of(sums[width:-1], sums[-1])
        return np.stack([first, second, second - first])

    values = measure(totals(statistics))[:, 0]
    replicates = bootstrap(statistics, measure, resampling, groups)
    unseen, seen, loss = (
        unless_single(percentile_interval(float(value), drawn, resampling.confidence), groups, least, 1.0)
        for value, drawn, least in zip(values, replicates, (0.0, 0.0, -1.0), strict=True)
    )
    return unseen, seen, loss
