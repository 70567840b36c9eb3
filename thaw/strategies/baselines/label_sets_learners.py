"""Baselines of label sets: what other features, and no features at all, reach on the same images."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.label_sets_fitting import fit_label_set_head
from thaw.params.sections import HeadParams
from thaw.targets.label_sets.labelled import LabelSetFeatures
from thaw.targets.label_sets.predictions import LabelSetPredictions


def always_all(predictions: LabelSetPredictions, shares: Sequence[float]) -> LabelSetPredictions:
    """What a model without eyes reaches on the rows of `predictions`: every class always named, which is the constant of the best F1; its probability is its
    share in training."""
    probabilities = np.tile(np.asarray(shares, np.float32), (len(predictions), 1))
    return replace(predictions, named=np.ones_like(predictions.named), probabilities=probabilities)


def learnt_from(
    train: LabelSetFeatures, val: LabelSetFeatures | None, test: Tensor, params: HeadParams, rows: LabelSetPredictions
) -> LabelSetPredictions:
    """What a head reaches that is fitted on other features; test: float32 [N, D], for the rows of `rows`, which are of the same classes."""
    return said_of(fit_label_set_head(train, val, params), test, rows)


def said_of(head: LabelSetHead, features: Tensor, rows: LabelSetPredictions) -> LabelSetPredictions:
    """`rows` with what a head says of their features, float32 [N, D]."""
    probabilities = head.probabilities(features)
    return replace(
        rows, named=head.named(probabilities).numpy(), probabilities=np.asarray(probabilities.numpy(), np.float32)
    )
