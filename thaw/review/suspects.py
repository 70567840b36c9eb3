"""Suspect labels: confident learning (Northcutt, Jiang and Chuang 2021) on probabilities by heads that never saw the label."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.heads import FittedHead, fit_head
from thaw.heads.kinds import fit_one
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.one_label.folds import assign_folds
from thaw.targets.target import NEVER


@dataclass(frozen=True)
class Suspect:
    """A label that looks wrong.

    row: where it stands in the rows that were asked about. given, suggested: indices of classes. probability: of the suggested class.
    quality: the probability of the given class (cleanlab's self-confidence), from 0 to 1; the lowest come first.
    """

    row: int
    given: int
    suggested: int
    probability: float
    quality: float


@dataclass(frozen=True, eq=False)
class Judged:
    """Calibrated probabilities of rows by heads that were fitted without them.

    head: fitted on all of `learning`. learning: float32 [N, C]. held_out: bool [N]; a row that is not (the only one of its class) has no probabilities.
    test: float32 [M, C], by `head`.
    """

    head: FittedHead
    learning: Tensor
    held_out: Tensor
    test: Tensor


def judge(learning: LabelledFeatures, test: LabelledFeatures, params: HeadParams) -> Judged:
    """Probabilities of every row by a linear head that was fitted without it: out of fold for `learning`, by all of `learning` for `test`.

    The L2 strength and the temperature are chosen once, by the cross-validation of `fit_head`; rows of a group are held out together.

    Raises:
        BadManifest: fewer than two classes in `learning`, or a class without rows.
        BadArtifact: features that are not finite numbers.
    """
    head = fit_head(learning, None, params, "linear")
    (setting,) = (trial.setting for trial in head.trials if trial.chosen)
    fold = assign_folds(learning.targets, folds=params.folds, seed=params.seed, groups=learning.groups)
    found = torch.zeros(len(learning), len(learning.class_names))
    with threads(threads_for(learning.features.numel())):
        for number in fold[fold != NEVER].unique().tolist():
            held_out = fold == number
            model = fit_one(learning.rows(~held_out), setting, params, "linear")
            found[held_out] = replace(head, model=model).probabilities(learning.features[held_out])
        return Judged(head, found, fold != NEVER, head.probabilities(test.features))


def find_suspects(probabilities: Tensor, targets: Tensor) -> list[Suspect]:
    """The rows whose label cleanlab holds for wrong (prune by noise rate), those of the lowest quality first.

    probabilities: float [N, C], by heads that were fitted without the row. targets: int64 [N], the given labels.
    """
    if not len(targets):
        return []
    from cleanlab.filter import find_label_issues  # a second of imports

    shares, given = probabilities.double().numpy(), targets.numpy()
    # One process: cleanlab would start more on Linux for tables that take it milliseconds.
    with warnings.catch_warnings(
        action="ignore", category=UserWarning
    ):  # of classes with too few rows to judge, which is no news
        rows = find_label_issues(given, shares, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [_suspect(int(row), shares[row], int(given[row])) for row in rows]


def _suspect(row: int, shares: "np.ndarray[tuple[int], np.dtype[np.float64]]", given: int) -> Suspect:
    suggested = int(shares.argmax())
    return Suspect(row, given, suggested, float(shares[suggested]), float(shares[given]))
