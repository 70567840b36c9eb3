"""The ranking of several backbones for the labels: by linear probes on the features of each, over the same folds, with their prices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from pydantic import TypeAdapter
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.foundation.files.records import write_record
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.heads.bags import entries_in, is_bag
from thaw.heads.standardisation import fit_standardisation
from thaw.models.prices import Price
from thaw.params.values.strategy import PLAIN
from thaw.strategies.advice.intervals import gain_of, headline_of
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, OutOfFold, measure_heads
from thaw.strategies.advice.pool import Pool, draw_folds
from thaw.strategies.advice.transferability import Score, log_me, score_of
from thaw.targets.target import TargetName

RESAMPLING = Resampling(2000)
SHUFFLES = 10
ABOUT_AS_GOOD = 0.02
"""A backbone counts as about as good as the best one if its whole interval beside it lies above the negative of this."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """A backbone with its features, float32 [N, D] of its last cut layer; or the model without a backbone (`PLAIN`) with its plain features, which may be bags
    int32 [N, L]. name: as given. computed: number of examples without features before. seconds:
    time of their computation, decoding included. price: of the backbone with a linear head. operations: of the backbone for one example, see
    `thaw.backbones.operations`."""

    name: str
    weights: str
    architecture: str
    layer: str
    features: Tensor
    price: Price
    computed: int
    seconds: float
    operations: float


@dataclass(frozen=True, eq=False)
class Judges:
    """The rows that every backbone is judged on, row for row with the features: see `Pool`."""

    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None
    learns: Tensor | None = None


@dataclass(frozen=True)
class Ranked:
    """A backbone in the ranking.

    accuracy: of a linear probe on rows that it has not seen; with label sets the macro F1. behind_best: the accuracy minus that of the best backbone, paired;
    None for the best. log_me: see `thaw.strategies.advice.transferability`; None for bags. dim: of the features, or the number of different entries of bags.
    on_front: whether no other backbone is as accurate with as few operations, and better in one. The other fields are those of `Entrant` and `Price`.
    """

    name: str
    weights: str
    architecture: str
    layer: str
    dim: int
    accuracy: Estimate
    behind_best: Estimate | None
    log_me: Score | None
    megabytes: float
    images_per_second: float | None
    computed: int
    seconds: float
    operations: float | None = None
    on_front: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is the model without a backbone."""
        return self.architecture == PLAIN

    @property
    def undecided(self) -> bool:
        """Whether the rows cannot distinguish the backbone from the best one."""
        return self.behind_best is not None and self.behind_best.high >= 0

    @property
    def about_as_good(self) -> bool:
        """Whether the rows show that it is the best, or hardly behind it."""
        return self.behind_best is None or self.behind_best.low >= -ABOUT_AS_GOOD


@dataclass(frozen=True)
class Unranked:
    """A backbone that did not take part, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """The backbones, the most accurate first. rows: number of judged rows, of `labelled` ones in train and validation. folds, repeats: of the draws.
    confidence: of every interval. target: of the labels; its headline is called accuracy here. left_out: for want of time. minutes: the time that was given, of
    one core, as `thaw.strategies.rank_budget` counts it; None: without a limit."""

    rows: int
    labelled: int
    folds: int
    repeats: int
    confidence: float
    backbones: tuple[Ranked, ...]
    unranked: tuple[Unranked, ...]
    target: TargetName = "one_label"
    left_out: tuple[Unranked, ...] = ()
    minutes: float | None = None
    format: Literal["thaw.ranking/1"] = "thaw.ranking/1"

    @property
    def recommended(self) -> Ranked:
        """The backbone of the fewest operations, then the smallest, among those that are shown to be about as good as the best."""
        near = [ranked for ranked in self.backbones if ranked.about_as_good and ranked.operations is not None]
        return min(near, key=lambda ranked: (ranked.operations, ranked.megabytes), default=self.backbones[0])


def rank_backbones(
    entrants: Sequence[Entrant], judges: Judges, fitting: Fitting, repeats: int
) -> tuple[int, tuple[Ranked, ...]]:
    """The number of judged rows, and the backbones by the accuracy of a linear probe; of two equal backbones the smaller comes first.

    All are probed on the same repeated stratified folds, so differences are paired by row.

    Raises:
        BadManifest: no class has enough examples to hold any out.
    """
    named = {str(number): entrant.features for number, entrant in enumerate(entrants)}
    pool = Pool(named, judges.targets, judges.class_names, judges.groups, judges.learns)
    folds = draw_folds(pool, folds=fitting.params.folds, repeats=repeats, seed=fitting.params.seed)
    if not folds:
        raise BadManifest("no class has two labelled examples, so none can be held out to judge; label more examples")
    probes = measure_heads(pool, folds, [HeadTrial("linear", name) for name in named], fitting)
    rows = len({row for fold in folds for row in fold.judge.tolist()})
    means = [_accuracy(probe, pool) for probe in probes]
    order = sorted(range(len(entrants)), key=lambda n: (-means[n].value, entrants[n].price.megabytes))
    best = probes[order[0]]
    ranked = []
    for number in order:
        behind = None if number == order[0] else gain_of(probes[number], best, pool.groups, RESAMPLING)
        ranked.append(_ranked(entrants[number], means[number], behind, judges))
    return rows, tuple(replace(each, on_front=_on_front(each, ranked)) for each in ranked)


def _on_front(one: Ranked, every: Sequence[Ranked]) -> bool:
    """See `Ranked.on_front`."""
    place = (-(one.operations or 0.0), one.accuracy.value)
    others = [(-(other.operations or 0.0), other.accuracy.value) for other in every]
    return not any(other != place and other[0] >= place[0] and other[1] >= place[1] for other in others)


def _accuracy(probe: OutOfFold, pool: Pool) -> Estimate:
    accuracy = headline_of(probe, pool.groups, RESAMPLING)
    assert accuracy is not None  # folds judge some rows
    return accuracy


def _ranked(entrant: Entrant, accuracy: Estimate, behind: Estimate | None, judges: Judges) -> Ranked:
    return Ranked(
        name=entrant.name,
        weights=entrant.weights,
        architecture=entrant.architecture,
        layer=entrant.layer,
        dim=len(entries_in(entrant.features)) if is_bag(entrant.features) else entrant.features.shape[1],
        accuracy=accuracy,
        behind_best=behind,
        log_me=None if is_bag(entrant.features) else _log_me(entrant.features, judges),
        megabytes=entrant.price.megabytes,
        images_per_second=entrant.price.images_per_second,
        computed=entrant.computed,
        seconds=entrant.seconds,
        operations=entrant.operations,
    )


def _log_me(features: Tensor, judges: Judges) -> Score:
    """LogME beside its values for shuffled labels; the orders are the same for every backbone."""
    rows = fit_standardisation(features).apply(features)
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(rows), generator=generator) for _ in range(SHUFFLES)]
    labellings = torch.stack([judges.targets, *(judges.targets[order] for order in orders)])
    return score_of(log_me(rows, labellings, len(judges.class_names)))


_ADAPTER = TypeAdapter(Ranking)


def write_ranking(ranking: Ranking, path: Path) -> None:
    """Write the ranking as JSON, atomically."""
    write_record(_ADAPTER, ranking, path)
