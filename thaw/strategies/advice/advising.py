"""The advice, from measured evidence: probes at every cut layer, size, learning curve, options, and the choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from thaw.foundation.files.kept import Kept
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.kind import Words
from thaw.models.prices import Price, Pricing
from thaw.params.sections import HeadParams, StrategyParams
from thaw.params.values.strategy import PLAIN, Strategy
from thaw.strategies.advice.cases import Comparison, LayerEvidence, Reference, doubts_of, name_case
from thaw.strategies.advice.choosing import Choice, choose, recommend, without_labels, without_transfer
from thaw.strategies.advice.intervals import gain_of, headline_of, judged_rows
from thaw.strategies.advice.learning_curve import CurvePoint, measure_curve
from thaw.strategies.advice.options import Jury, Option, Pilot, Tried, try_pilot
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, OutOfFold, measure_heads
from thaw.strategies.advice.pool import Fold, Pool, draw_folds
from thaw.strategies.advice.record import Advice, Decision, Evidence
from thaw.strategies.advice.size import Size
from thaw.strategies.advice.transferability import transferability
from thaw.strategies.advice.zero_shot import Texts, judge_texts

OTHER_HEADS: tuple[Literal["mlp", "knn"], ...] = ("mlp", "knn")
RESAMPLING = Resampling(2000)
STEPS = 7


@dataclass(frozen=True, eq=False)
class PlainFeatures:
    """`Kind.plain_features` of the pool, row for row: float32 [N, D], or bags int32 [N, L]. price: of a model on them."""

    features: Tensor
    price: Price


@dataclass(frozen=True, eq=False)
class Situation:
    """The inputs of the advice.

    pool: the rows of the advice. references: a pool of the same rows, or of a sample of them, whose features include those without a pretrained backbone
    (`thaw.strategies.advice.cases`); None: no such pool. price: of a deployed model. pilot: the trainer of the backbone; None: no trainer. labelled: number of
    labelled examples in train and validation. validation, test: numbers of labelled examples in these splits. words: for the examples. plain: None: the model
    without a backbone is no option. texts: the head of the names of the classes; None: the backbone has no text tower, or no features beside it.
    """

    pool: Pool
    references: Pool | None
    size: Size
    price: Pricing
    pilot: Pilot | None
    labelled: int
    validation: int
    test: int
    words: Words
    plain: PlainFeatures | None = None
    texts: Texts | None = None


def advise(
    situation: Situation,
    strategy: StrategyParams,
    head: HeadParams,
    *,
    workers: int = 1,
    progress: Progress = untold,
    kept: Kept | None = None,
) -> Advice:
    """Measure, name the case, and choose. The same situation gives the same advice, except for measured times.

    kept: what an advice on the same situation has measured before it was killed; it is not measured again.

    Raises:
        BadParameters: `strategy` asks for a layer that has no features.
    """
    pool, kept = situation.pool, kept or Kept()
    fitting = Fitting(head, workers, kept)
    folds = draw_folds(pool, folds=head.folds, repeats=strategy.repeats, seed=head.seed)
    tried = situation.pilot.strategies if situation.pilot is not None and strategy.minutes else ()
    steps = STEPS + len(tried)
    progress(0, steps)
    probes = measure_heads(pool, folds, [HeadTrial("linear", layer) for layer in pool.layers], fitting.keeping("probe"))
    progress(1, steps)
    layers = _layers(pool, probes)
    case = name_case(layers, small=situation.size.small)
    progress(2, steps)
    jury = Jury(pool, folds, probes[-1], RESAMPLING, situation.price)
    growing = fitting.keeping("curve")
    curve = measure_curve(pool, folds, _best_layer(layers), growing, RESAMPLING) if layers else None
    unlearnt = None if situation.texts is None else judge_texts(situation.texts, jury)
    if curve is not None and unlearnt is not None:
        curve = replace(curve, unlearnt=CurvePoint(0, unlearnt.from_nothing))
    progress(3, steps)
    transferring = _options(jury, probes, fitting.keeping("head"))
    transferring[1:1] = [] if unlearnt is None else [unlearnt.tried]
    progress(4, steps)
    if situation.pilot is not None and tried:
        for done, option in enumerate(try_pilot(situation.pilot, jury, strategy.minutes, kept.below("pilot")), 1):
            transferring.append(option)
            progress(4 + done, steps)
    plain = None if situation.plain is None else _plain(jury, situation.plain, fitting.keeping("without transfer"))
    progress(steps - 2, steps)
    comparison = _compare(situation, layers, probes, fitting.keeping("reference"), strategy.repeats)
    progress(steps - 1, steps)
    recommended = _recommended(transferring, plain, pool)
    if unlearnt is not None:
        recommended = without_labels(recommended, unlearnt.tried.option, unlearnt.over_constant)
    options = tuple(each.option for each in (*transferring, *([] if plain is None else [plain])))
    followed = choose(strategy, pool.layers, options, recommended)
    progress(steps, steps)
    return Advice(
        evidence=_evidence(situation, folds, head, strategy),
        size=situation.size,
        layers=layers,
        comparison=comparison,
        curve=curve,
        case=case,
        doubts=doubts_of(
            layers,
            () if comparison is None else comparison.references,
            situation.words,
            plentiful=situation.size.plentiful,
        ),
        options=options,
        resolution=_resolution([each.option for each in transferring]),
        recommended=_decision(recommended),
        followed=_decision(followed),
        automatic=followed is recommended,
        target=pool.target.name,
        texts=() if situation.texts is None else situation.texts.said,
    )


def _layers(pool: Pool, probes: Sequence[OutOfFold]) -> tuple[LayerEvidence, ...]:
    """The evidence of each layer; empty if no row was judged."""
    evidence = []
    for layer, probe in zip(pool.layers, probes, strict=True):
        accuracy = headline_of(probe, pool.groups, RESAMPLING)
        if accuracy is None:
            return ()
        last = layer == pool.layers[-1]
        beside = None if last else gain_of(probe, probes[-1], pool.groups, RESAMPLING)
        every = pool.labelled(layer, torch.arange(len(pool)))
        evidence.append(LayerEvidence(layer, pool.features[layer].shape[1], accuracy, beside, transferability(every)))
    return tuple(evidence)


def _best_layer(layers: Sequence[LayerEvidence]) -> str:
    """The last layer, unless an earlier one is better beyond its interval."""
    better = [layer for layer in layers if layer.beside_last is not None and layer.beside_last.low > 0]
    return max(better, key=lambda layer: layer.accuracy.value, default=layers[-1]).name


def _options(jury: Jury, probes: Sequence[OutOfFold], fitting: Fitting) -> list[Tried]:
    """The options of heads on cached features: every kind on the last layer, and a linear head on each earlier one. The probes are already measured."""
    pool, last = jury.pool, jury.pool.layers[-1]
    if not jury.folds:
        return [jury.unmeasured(Strategy("linear", last), None, "too few examples to hold some out")]
    # The mlp costs many times what the others do.
    others = measure_heads(pool, jury.first_draw, [HeadTrial(kind, last) for kind in OTHER_HEADS], fitting)
    cuts = [jury.measured(Strategy("cut", layer), probe) for layer, probe in zip(pool.layers, probes, strict=True)]
    heads = [jury.measured(Strategy(kind, last), outcome) for kind, outcome in zip(OTHER_HEADS, others, strict=True)]
    return [jury.measured(Strategy("linear", last), probes[-1]), *heads, *reversed(cuts[:-1])]


def _plain(jury: Jury, plain: PlainFeatures, fitting: Fitting) -> Tried | None:
    """The model without a backbone on the first draw of the folds, because values and bags have many dimensions; None if no row can be held out."""
    if not jury.folds:
        return None
    pool = replace(jury.pool, features={PLAIN: plain.features})
    (outcome,) = measure_heads(pool, jury.first_draw, [HeadTrial("linear", PLAIN)], fitting)
    return jury.measured(Strategy(PLAIN, jury.pool.layers[-1]), outcome, price=plain.price)


def _recommended(transferring: Sequence[Tried], plain: Tried | None, pool: Pool) -> Choice:
    """The best option with the backbone, unless the plain model is shown to be better than that one."""
    best = recommend([each.option for each in transferring], Strategy("linear", pool.layers[-1]))
    outcome = next((each.outcome for each in transferring if each.option is best.option), None)
    if plain is None or plain.outcome is None or outcome is None:
        return best
    return without_transfer(best, plain.option, gain_of(plain.outcome, outcome, pool.groups, RESAMPLING))


def _compare(
    situation: Situation,
    layers: Sequence[LayerEvidence],
    probes: Sequence[OutOfFold],
    fitting: Fitting,
    repeats: int,
) -> Comparison | None:
    """Linear probes on features without pretraining, beside the best cut layer on the same rows and folds."""
    pool = situation.references
    if pool is None or not layers:
        return None
    place, best = max(enumerate(layers), key=lambda pair: pair[1].accuracy.value)
    names = [name for name in pool.layers if name not in {layer.name for layer in layers}]
    folds = draw_folds(pool, folds=fitting.params.folds, repeats=repeats, seed=fitting.params.seed)
    every = len(pool) == len(situation.pool)  # then the folds are those of the probes, too
    again = [] if every else [best.name]
    measured = measure_heads(pool, folds, [HeadTrial("linear", name) for name in (*again, *names)], fitting)
    first, *others = [probes[place], *measured] if every else measured
    accuracy = headline_of(first, pool.groups, RESAMPLING)
    if accuracy is None:
        return None
    references = [_reference(name, first, other, pool) for name, other in zip(names, others, strict=True)]
    return Comparison(judged_rows(first), best.name, accuracy, tuple(references))


def _reference(name: str, best: OutOfFold, other: OutOfFold, pool: Pool) -> Reference:
    accuracy, lead = headline_of(other, pool.groups, RESAMPLING), gain_of(best, other, pool.groups, RESAMPLING)
    assert accuracy is not None and lead is not None  # both were judged on the same rows, and there are some
    return Reference(name, accuracy, lead)


def _resolution(options: Sequence[Option]) -> float | None:
    """The median of half the gains' intervals, over the options that differ from the linear head."""
    widths = sorted(
        (option.gain.high - option.gain.low) / 2
        for option in options
        if option.gain is not None and option.gain.high > option.gain.low
    )
    return widths[len(widths) // 2] if widths else None


def _evidence(situation: Situation, folds: Sequence[Fold], head: HeadParams, strategy: StrategyParams) -> Evidence:
    judged = {row for fold in folds for row in fold.judge.tolist()}
    return Evidence(
        rows=len(judged),
        labelled=situation.labelled,
        folds=head.folds,
        repeats=strategy.repeats,
        confidence=RESAMPLING.confidence,
        validation=situation.validation,
        test=situation.test,
    )


def _decision(choice: Choice) -> Decision:
    return Decision(choice.strategy, choice.reason, None if choice.option is None else choice.option.accuracy)
