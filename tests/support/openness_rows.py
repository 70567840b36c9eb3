"""Rows of features for tests of openness: real handwriting (its pixels) and blobs of any shape."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from digit_images import digit_images, embedded, features_of
from sklearn.datasets import load_digits

from thaw.heads import FittedHead, fit_head
from thaw.heads.open_set import Openness
from thaw.heads.open_set.fitting import fit_openness
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams, OpennessParams
from thaw.targets.labelled import LabelledFeatures

QUICK = HeadParams(l2=(0.01,), folds=3)


def digits(classes: int = 6, count: int = 400, skip: int = 0) -> LabelledFeatures:
    """`count` real digits below `classes`, from the `skip`-th on: float32 [N, 64]."""
    held, rows = load_digits(n_class=classes), slice(skip, skip + count)
    names = tuple(str(number) for number in range(classes))
    return LabelledFeatures(torch.tensor(held.data[rows]).float(), torch.tensor(held.target[rows]), names)


def blobs(counts: tuple[int, ...], dim: int = 4, seed: int = 0) -> LabelledFeatures:
    """`counts[i]` rows around the mean of class i, spread 1, means some 6 apart: float32 [N, dim]."""
    generator = torch.Generator().manual_seed(seed)
    means = 6 * torch.randn(len(counts), dim, generator=generator)
    targets = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    features = means[targets] + torch.randn(len(targets), dim, generator=generator)
    return LabelledFeatures(features, targets, tuple(f"class {number}" for number in range(len(counts))))


@cache
def head_on_digits() -> FittedHead:
    return fit_head(digits(), None, QUICK)


@cache
def openness_on_digits(score: str = "auto", false_accepts: float = 0.05) -> Openness:
    params = OpennessParams.model_validate({"score": score, "false_accepts": false_accepts})
    found = fit_openness(head_on_digits(), digits(), None, params=params, head_params=QUICK)
    assert found is not None
    return found


@cache
def predictor_on_digits() -> Predictor:
    """Pixels to labels of the digits 0 to 2, that has no openness."""
    images = digit_images(0, 120)
    backbone = embedded()
    head = fit_head(features_of(backbone, images), None, QUICK)
    return Predictor(backbone, head, backbone.layers[-1])


@cache
def opened_predictor() -> Predictor:
    """The same that may say `neither`."""
    plain, rows = predictor_on_digits(), features_of(embedded(), digit_images(0, 120))
    params = OpennessParams(score="neighbours", false_accepts=0.1)
    return replace(plain, openness=fit_openness(plain.head, rows, None, params=params, head_params=QUICK))


def pictures(first: int, count: int) -> list[np.ndarray]:
    """Digits 0 to 2, and crosses, as uint8 [H, W] each, in turn: what is known, and what is not."""
    cross = np.where(np.eye(8) + np.eye(8)[::-1] > 0, 255, 0).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    digits = digit_images(first, count).inputs[:, 0].numpy()
    return [one for digit in digits for one in (digit, cross)]
