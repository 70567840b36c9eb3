"""Confidence against coverage: how many answers are wrong if only the surest ones are given."""

from dataclasses import dataclass

import numpy as np
import torch

from thaw.foundation.statistics.bootstrap import Estimate, FloatArray, IntArray
from thaw.foundation.statistics.clustered import share_interval
from thaw.targets.predictions import Predictions

CURVE = 200
"""The most points of the curve."""


@dataclass(frozen=True)
class Selection:
    """The confidence from which on answers are given, chosen on validation rows, and what it comes to on test rows.

    coverage: the share of test rows with an answer. wrong: the share of wrong answers among them; None: there are none.
    """

    threshold: float
    coverage: Estimate
    wrong: Estimate | None


@dataclass(frozen=True)
class Selective:
    """Test rows by falling confidence. curve: shares of answered rows, and of wrong answers among them. stated: the share of wrong answers that is asked for.

    selection: None if no confidence reaches it on the validation rows, or if there are none. chosen_on: the number of these.
    """

    stated: float
    curve: tuple[tuple[float, float], ...]
    chosen_on: int
    selection: Selection | None


def measure_selective(
    predictions: Predictions, validation: Predictions | None, stated: float, groups: IntArray, confidence: float
) -> Selective:
    """The curve, and the threshold for the stated share of wrong answers. A row is wrong unless it is wholly right.

    groups: int64 [N], of the test rows, for the intervals. Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010
    (the risk-coverage curve).
    """
    sure, wrong = confidence_of(predictions), _wrong(predictions)
    threshold = None if validation is None else threshold_for(confidence_of(validation), _wrong(validation), stated)
    return Selective(
        stated,
        _curve(sure, wrong),
        0 if validation is None else len(validation),
        None if threshold is None else _selection(threshold, sure, wrong, groups, confidence),
    )


def confidence_of(predictions: Predictions) -> FloatArray:
    """The probability of the named class, or with label sets of the least certain decision, float64 [N]."""
    probabilities, named = torch.from_numpy(predictions.probabilities), torch.from_numpy(predictions.named)
    return np.asarray(predictions.target.sureness(probabilities, named).numpy(), np.float64)


def threshold_for(sure: FloatArray, wrong: FloatArray, stated: float) -> float | None:
    """The confidence that most rows reach of which at most the stated share is wrong; None: there is none. wrong: 0 or 1, float64 [N]."""
    order = np.argsort(-sure, kind="stable")
    last = np.append(np.diff(sure[order]) != 0, True)
    shares = wrong[order].cumsum() / np.arange(1, len(order) + 1)
    within = np.flatnonzero(last & (shares <= stated))
    return float(sure[order][within[-1]]) if len(within) else None


def _wrong(predictions: Predictions) -> FloatArray:
    return np.asarray((predictions.named != predictions.shown).any(1), np.float64)


def _selection(threshold: float, sure: FloatArray, wrong: FloatArray, groups: IntArray, confidence: float) -> Selection:
    given = sure >= threshold
    error = share_interval(wrong[given], groups[given], confidence) if given.any() else None
    return Selection(threshold, share_interval(given.astype(np.float64), groups, confidence), error)


def _curve(sure: FloatArray, wrong: FloatArray) -> tuple[tuple[float, float], ...]:
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    kept = last[np.unique(np.linspace(0, len(last) - 1, CURVE).round().astype(int))]
    shares = wrong[order].cumsum()[kept] / (kept + 1)
    return tuple(zip(((kept + 1) / len(order)).tolist(), shares.tolist(), strict=True))
