"""Labels that look wrong, by heads that were fitted without them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.heads import FittedHead, fit_head
from thaw.heads.kinds import fit_one
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.suspect import Suspect
from thaw.targets.target import NEVER, target_of_targets


@dataclass(frozen=True, eq=False)
class Judged:
    """Calibrated probabilities of rows by heads that were fitted without them.

    head: fitted on all of `learning`; None: detectors judge. learning: float32 [N, C]. held_out: bool [N]; a row that cannot be held out (the only row of its
    class) has no probabilities. test: float32 [M, C], by `head`. moments: where each class is most probable in recordings, in seconds, of learning and of test,
    float32 [N, C] and [M, C]; None: a row is judged as a whole.
    """

    head: FittedHead | None
    learning: Tensor
    held_out: Tensor
    test: Tensor
    moments: tuple[Tensor, Tensor] | None = None


def judge(learning: LabelledFeatures, test: LabelledFeatures, params: HeadParams) -> Judged:
    """Probabilities of every row by a linear head that was fitted without it: out of fold for `learning`, by a head on all of `learning` for `test`.

    The L2 strength and the temperature are chosen once, by the cross-validation of `fit_head`; rows of a group are held out together.

    Raises:
        BadManifest: there are fewer than two classes in `learning`, or a class has no rows.
        BadArtifact: some features are not finite numbers.
    """
    head = fit_head(learning, None, params, "linear")
    (setting,) = (trial.setting for trial in head.trials if trial.chosen)
    target = learning.target
    fold = target.folds(learning.targets, count=params.folds, seed=params.seed, groups=learning.groups)
    probabilities = torch.zeros(len(learning), len(learning.class_names))
    with threads(threads_for(learning.features.numel())):
        for number in fold[fold != NEVER].unique().tolist():
            held_out = fold == number
            model = fit_one(learning.rows(~held_out), setting, params, "linear")
            probabilities[held_out] = replace(head, model=model).probabilities(learning.features[held_out])
        return Judged(head, probabilities, fold != NEVER, head.probabilities(test.features))


def find_suspects(probabilities: Tensor, targets: Tensor) -> list[Suspect]:
    """The rows whose label looks wrong, the worst first.

    probabilities: float [N, C], by heads that were fitted without the row. targets: int64 [N] or bool [N, C], the given labels.
    """
    return target_of_targets(targets).suspects(probabilities, targets)
