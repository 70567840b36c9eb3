"""Baselines of label sets: what other features, and no features at all, reach on the same images."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from thaw.heads import FittedHead, fit_head
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.predictions import Predictions


def always_all(predictions: Predictions, shares: Sequence[float]) -> Predictions:
    """What a model without eyes reaches on the rows of `predictions`: every class always named, which is the constant of the best F1; its probability is its
    share in training."""
    probabilities = np.tile(np.asarray(shares, np.float32), (len(predictions), 1))
    return replace(predictions, decided=np.ones_like(predictions.shown), probabilities=probabilities)


def learnt_from(
    train: LabelledFeatures, val: LabelledFeatures | None, test: Tensor, params: HeadParams, rows: Predictions
) -> Predictions:
    """What a head reaches that is fitted on other features; test: float32 [N, D], for the rows of `rows`, which are of the same classes."""
    return said_of(fit_head(train, val, params), test, rows)


def said_of(head: FittedHead, features: Tensor, rows: Predictions) -> Predictions:
    """`rows` with what a head says of their features, float32 [N, D]."""
    probabilities = head.probabilities(features)
    return replace(
        rows, decided=head.named(probabilities).numpy(), probabilities=np.asarray(probabilities.numpy(), np.float32)
    )
