"""The measurement of drift: a new batch against the reference, by tests that together keep one rate of false alarms."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thaw.drift.answers import confidence_shift, holm, label_shift, neither_shift, share_of
from thaw.drift.inputs import auroc, mmd, separation
from thaw.drift.observed import Floats, Observed
from thaw.drift.permutation import p_value
from thaw.drift.record import (
    Aspect,
    Confidence,
    DriftReport,
    Finding,
    Histogram,
    LabelShare,
    LeftOut,
    Neither,
    Origin,
    Separation,
)
from thaw.drift.reference import Reference
from thaw.foundation.statistics.bootstrap import USUAL
from thaw.params.sections import WatchParams

BINS = 20


def measure_drift(
    reference: Reference,
    new: Observed,
    params: WatchParams,
    *,
    confidence: float = USUAL.confidence,
    origin: Origin,
    left_out: LeftOut,
    other_way: bool = False,
) -> DriftReport:
    """Compare a batch of new examples with the reference.

    Features are tested against the whole reference, answers against its unseen rows. The same rows and parameters give the same report.
    """
    unseen = reference.rows.rows(reference.unseen)
    findings = find_drift(reference, new, params)
    return DriftReport(
        origin=origin,
        rows=len(new),
        reference_rows=len(reference.rows),
        unseen_rows=len(unseen),
        left_out=left_out,
        needed=params.min_rows,
        false_alarms=params.false_alarms,
        permutations=params.permutations,
        confidence_level=confidence,
        other_way=other_way,
        findings=findings,
        separation=_separation(reference.rows.features, new.features, params.seed) if findings else None,
        labels=_labels(reference.class_names, unseen, new),
        confidence=_confidence(unseen, new),
        neither=_neither(unseen, new, confidence),
    )


def find_drift(reference: Reference, new: Observed, params: WatchParams) -> tuple[Finding, ...]:
    """The finding of each test; empty if there are fewer than `min_rows` rows."""
    unseen = reference.rows.rows(reference.unseen)
    if min(len(new), len(unseen)) < params.min_rows:
        return ()
    tested = list(_tests(reference.rows, unseen, new, params))
    adjusted = holm([p for _, _, p in tested])
    return tuple(
        Finding(aspect, statistic, p, fair, fair <= params.false_alarms)
        for (aspect, statistic, p), fair in zip(tested, adjusted, strict=True)
    )


def _tests(
    seen: Observed, unseen: Observed, new: Observed, params: WatchParams
) -> Iterator[tuple[Aspect, float, float]]:
    """The tests in order: their aspect, statistic and p-value. seen: the whole reference."""
    count, seed = params.permutations, params.seed
    yield _permuted("inputs", mmd(seen.features, new.features, count, seed))
    yield _permuted("labels", label_shift(unseen.named, new.named, count, seed + 1))
    if unseen.confidences is not None and new.confidences is not None:
        yield _permuted("confidence", confidence_shift(unseen.confidences, new.confidences, count, seed + 2))
    if unseen.accepted is not None and new.accepted is not None:
        more = float(unseen.accepted.mean() - new.accepted.mean())
        yield "neither", more, neither_shift(unseen.accepted, new.accepted)


def _permuted(aspect: Aspect, statistics: NDArray[np.float64]) -> tuple[Aspect, float, float]:
    return aspect, float(statistics[0]), p_value(statistics)


def _separation(reference: Floats, new: Floats, seed: int) -> Separation:
    scores = separation(reference, new, seed)
    count = len(reference)
    low, high = (float(edge) for edge in np.quantile(scores, (0.005, 0.995)))
    edges = np.linspace(low, high, BINS + 1)
    return Separation(auroc(scores, count), _histogram(scores, count, edges))


def _labels(class_names: tuple[str, ...], reference: Observed, new: Observed) -> tuple[LabelShare, ...]:
    """Every class, the largest shift first; empty if a side has no rows."""
    if not len(reference) or not len(new):
        return ()
    shares = zip(class_names, reference.named.mean(0), new.named.mean(0), strict=True)
    entries = [LabelShare(name, float(before), float(now)) for name, before, now in shares]
    return tuple(sorted(entries, key=lambda entry: (-abs(entry.new - entry.reference), entry.name)))


def _confidence(reference: Observed, new: Observed) -> Confidence | None:
    if reference.confidences is None or new.confidences is None or not len(reference) or not len(new):
        return None
    both = np.concatenate([reference.confidences, new.confidences]).astype(np.float64)
    spread = _histogram(both, len(reference), np.linspace(0, 1, BINS + 1))
    return Confidence(float(reference.confidences.mean()), float(new.confidences.mean()), spread)


def _neither(reference: Observed, new: Observed, confidence: float) -> Neither | None:
    if reference.accepted is None or new.accepted is None or not len(reference) or not len(new):
        return None
    return Neither(share_of(~reference.accepted, confidence), share_of(~new.accepted, confidence))


def _histogram(values: NDArray[np.float64], first: int, edges: NDArray[np.float64]) -> Histogram:
    """Shares of the first `first` values and of the others; values beyond the edges count in the outermost bins."""

    def shares(part: NDArray[np.float64]) -> tuple[float, ...]:
        counts, _ = np.histogram(np.clip(part, edges[0], edges[-1]), edges)
        return tuple(float(count) / len(part) for count in counts)

    return Histogram(tuple(float(edge) for edge in edges), shares(values[:first]), shares(values[first:]))
