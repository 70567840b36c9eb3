"""Zero-shot in the advice: the head of the names of the classes, judged on every row, because it learns from none."""

from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.heads.logistic import LogisticModel
from thaw.heads.text_head import text_head
from thaw.params.values.strategy import ZERO_SHOT, Strategy
from thaw.strategies.advice.intervals import gain_of, headline_of
from thaw.strategies.advice.options import Jury, Tried
from thaw.strategies.advice.out_of_fold import OutOfFold, measure_learner
from thaw.strategies.advice.pool import Fold


@dataclass(frozen=True, eq=False)
class Texts:
    """The text model of the classes. layer: of the features that it takes. said: the texts that stand for the classes, class by class."""

    model: LogisticModel
    layer: str
    said: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Unlearnt:
    """Zero-shot as judged. tried: with calibration, and with label sets thresholds, from the rows that others learn from. from_nothing: the headline without
    any labelled row. over_constant: the lead over the best constant answer on the same rows."""

    tried: Tried
    from_nothing: Estimate
    over_constant: Estimate | None


def judge_texts(texts: Texts, jury: Jury) -> Unlearnt:
    """Judge on the folds of the jury; if no row can be held out from a training, on every row."""
    pool, target = jury.pool, jury.pool.target
    nobody = torch.arange(0)
    folds = list(jury.folds) or [Fold(0, nobody, torch.arange(len(pool)))]

    def learn(fold: Fold) -> Tensor:
        head = text_head(texts.model, pool.labelled(texts.layer, fold.learn))
        return head.named(head.probabilities(pool.features[texts.layer][fold.judge]))

    def learn_nothing(fold: Fold) -> Tensor:
        return learn(Fold(fold.repeat, nobody, fold.judge))

    def answer_always(fold: Fold) -> Tensor:
        return target.constant(pool.targets, len(pool.class_names)).expand(len(fold.judge), -1)

    outcome, unlearnt, constant = (measure_learner(pool, folds, each) for each in (learn, learn_nothing, answer_always))
    return Unlearnt(
        jury.measured(Strategy(ZERO_SHOT, texts.layer), outcome),
        _headline(unlearnt, jury),
        gain_of(outcome, constant, pool.groups, jury.resampling),
    )


def _headline(outcome: OutOfFold, jury: Jury) -> Estimate:
    estimate = headline_of(outcome, jury.pool.groups, jury.resampling)
    assert estimate is not None  # the folds judge some rows
    return estimate
