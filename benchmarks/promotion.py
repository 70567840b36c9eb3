"""Claims of the promotion gates over a year of nights, by simulation through the gates' own code.

    python benchmarks/promotion.py [--quick]

A test example is easy, hard or undecided: a model is right on it with the probability of its sort, so equal models differ on about a third as many examples as
each has wrong, as nightly versions of one pipeline do. Each night a new challenger is judged on the same test examples.
`calm`: every model is equally good; the share of histories in which any challenger is ever called better, the promotions of a year, and the champion's measured
accuracy over its true accuracy at the end, in points. `decline`: challengers truly lose 0.01 points a night; the true loss of the champion after a year, in
points, the mean and the largest of 95 % of the histories. `gain`: a challenger is truly 2 points better; the share of histories in which one is promoted within
3 nights. `ours` is the decision of `thaw.gates.deciding.decide`; `reference` the comparison with the present champion alone, at 95 % each night and a margin of
0.01: Thaw's own rule before, and that of most promotion scripts. `--quick`: fewer histories.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray, Resampling
from thaw.gates import paired_test
from thaw.gates.deciding import Evidence, decide
from thaw.gates.wear import Judgement, sketch_of
from thaw.params.sections import PromotionParams
from thaw.targets.predictions import Predictions

SHARES = np.array([0.88, 0.08, 0.04])
RIGHT = np.array([0.995, 0.05, 0.5])
"""The share of each sort of examples, and the probability that a model is right on one."""
NIGHTS = 365
DECLINE = 0.0001
GAIN = 0.02
PATIENCE = 3
RESAMPLING = Resampling(100)
ALONE = PromotionParams(
    max_recall_loss=None, max_calibration_loss=None, max_leaked=None, max_near_copies=None, max_suspects=None
)
NAMES = ("no", "yes")


@dataclass(frozen=True, eq=False)
class History:
    """One history. truth: the true accuracy of each night's challenger, float64 [nights]. promoted, better: the nights whose challenger became champion, or was
    called better. measured: the champion's accuracy on the test at the end."""

    truth: FloatArray
    promoted: tuple[int, ...]
    better: tuple[int, ...]
    measured: float

    @property
    def champion(self) -> float:
        """The true accuracy of the champion at the end."""
        return float(self.truth[self.promoted[-1]])


@dataclass(frozen=True)
class Setting:
    """A simulated world: the test examples, the nights, the rule, and the factor of the probability of being right on each night, by `pace`."""

    rows: int
    nights: int
    rule: str
    pace: str
    ours: bool


def factors(setting: Setting) -> FloatArray:
    """The factor of the accuracy of each night's challenger, float64 [nights]."""
    accuracy = float(SHARES @ RIGHT)
    nights = np.arange(setting.nights)
    if setting.pace == "decline":
        return 1 - DECLINE * nights / accuracy
    if setting.pace == "gain":  # the last nights are better
        return np.where(nights >= setting.nights - PATIENCE, 1 + GAIN / accuracy, 1.0)
    return np.ones(setting.nights)


def predictions(right: np.ndarray, labels: np.ndarray, digests: tuple[bytes, ...]) -> Predictions:
    """A model that is right on the rows `right`, bool [N]."""
    said = np.where(right, labels, 1 - labels)
    return Predictions(NAMES, digests, ("",) * len(labels), labels, np.eye(2, dtype=np.float32)[said])


def simulate(setting: Setting, seed: int) -> History:
    """One history. The first model is the champion from the start."""
    generator = np.random.default_rng(seed)
    sorts = generator.choice(3, setting.rows, p=SHARES)
    labels = generator.integers(2, size=setting.rows)
    digests = tuple(generator.bytes(32) for _ in range(setting.rows))
    scale = factors(setting)

    def model(night: int) -> Predictions:
        # A factor above 1 makes undecided and hard examples right, because easy ones are right already.
        chance = RIGHT[sorts] * min(1.0, scale[night])
        extra = max(0.0, scale[night] - 1) * float(SHARES @ RIGHT) / float(SHARES[1:] @ (1 - RIGHT[1:]))
        chance = np.where(sorts > 0, chance + extra * (1 - chance), chance)
        return predictions(generator.random(setting.rows) < chance, labels, digests)

    champion = anchor = model(0)
    promoted, better = [0], []
    earlier: tuple[Judgement, ...] = ()
    judgement = Judgement(setting.rows, sketch_of(digests))
    params = ALONE.model_copy(update={"rule": setting.rule, **({} if setting.ours else {"margin": 0.01})})
    for night in range(1, setting.nights):
        challenger = model(night)
        evidence = Evidence(
            champion, challenger, anchor=None if anchor is champion else anchor, earlier=earlier if setting.ours else ()
        )
        decision = decide(evidence, params, RESAMPLING)
        comparison = decision.comparison
        assert comparison is not None
        passes, is_better = decision.promote, comparison.better
        if not setting.ours:
            outcome = next(outcome for outcome in decision.outcomes if outcome.gate == paired_test.GATE)
            figures = comparison.figures
            is_better = figures.mcnemar_p < 0.05 and figures.only_challenger > figures.only_champion
            passes = is_better if setting.rule == "better" else not outcome.refuses
        if is_better:
            better.append(night)
        if passes:
            champion = challenger
            promoted.append(night)
            if comparison.leads:
                anchor = challenger
        earlier = (*earlier, judgement)
    return History(
        scale * float(SHARES @ RIGHT), tuple(promoted), tuple(better), float((champion.predicted == champion.targets).mean())
    )  # fmt: skip


Measures = Mapping[str, Callable[[list[History]], float]]


def report(pool: Executor, setting: Setting, histories: int, measures: Measures) -> None:
    """Simulate both rules, and print one JSON line a measure."""
    ours, reference = (
        list(pool.map(partial(simulate, replace(setting, ours=mine)), range(histories), chunksize=4))
        for mine in (True, False)
    )
    for claim, measure in measures.items():
        line = {"claim": claim, "rows": setting.rows, "rule": setting.rule, "histories": histories}
        figures = {"ours": round(measure(ours), 4), "reference": round(measure(reference), 4)}
        print(json.dumps(line | figures), flush=True)


def main() -> None:
    """Simulate, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer histories")
    calm, others = (4, 4) if parser.parse_args().quick else (60, 20)
    with ProcessPoolExecutor() as pool:
        for rule in ("not_worse", "better"):
            for late in (1, 31, 181):
                claim = f"gain from night {late}: share promoted within {PATIENCE} nights"
                setting = Setting(2000, late + PATIENCE, rule, "gain", ours=True)
                report(pool, setting, others, {claim: partial(_promoted_since, late)})
        report(pool, Setting(4000, NIGHTS, "not_worse", "decline", ours=True), others, DECLINING)
        for rows in (150, 2000):
            report(pool, Setting(rows, NIGHTS, "not_worse", "calm", ours=True), calm, CALM)


def _losses(histories: list[History]) -> list[float]:
    return [100 * float(history.truth[0] - history.champion) for history in histories]


def _promoted_since(night: int, histories: list[History]) -> float:
    return float(np.mean([history.promoted[-1] >= night for history in histories]))


CALM: Measures = {
    "calm: share of histories that ever say better": lambda histories: float(
        np.mean([bool(history.better) for history in histories])
    ),
    "calm: promotions a year": lambda histories: float(np.mean([len(history.promoted) - 1 for history in histories])),
    "calm: measured over true accuracy of the champion, points": lambda histories: (
        100 * float(np.mean([history.measured - history.champion for history in histories]))
    ),
}
DECLINING: Measures = {
    "decline: true loss after a year, points, mean": lambda histories: float(np.mean(_losses(histories))),
    "decline: true loss after a year, points, 95 % of histories": lambda histories: float(
        np.quantile(_losses(histories), 0.95)
    ),
}


if __name__ == "__main__":
    main()
