"""Claims of the promotion gates over a year of nights, by simulation through the gates' own code.

    python benchmarks/promotion.py [--quick]

A test example is easy, hard or undecided: a model is right on it with the probability of its sort, so equal models differ on about a third as many examples as
each has wrong, as nightly versions of one pipeline do. Each night a new challenger is judged on the same test examples.
`calm`: every model is equally good; the share of histories in which any challenger is ever called better, and the mean of the champion's measured accuracy over its
true accuracy at the end, in points. `decline`: challengers truly lose 0.01 points a night; the true loss of the champion at the end, in points (mean, and the
largest of 95 % of the histories). `gain`: a challenger is truly 2 points better; the share of histories in which one is promoted within 3 nights.
`ours` is the decision of `thaw.gates.deciding.decide`; `reference` the comparison with the present champion alone, at 95 % each night and a margin of 0.01, as Thaw
promoted before and as most promotion scripts do. `--quick`: fewer histories.
"""

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
    """The nights of one history: the true accuracy of each night's challenger (float64 [nights]), which of them became champion, which was called better, and the
    measured accuracy of the champion at the end."""

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


def main() -> None:
    """Simulate, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer histories")
    histories = 20 if parser.parse_args().quick else 200
    with ProcessPoolExecutor() as pool:

        def of(setting: Setting, measure: Callable[[list[History]], float]) -> float:
            return round(measure(list(pool.map(partial(simulate, setting), range(histories), chunksize=4))), 4)

        def report(claim: str, setting: Setting, measure: Callable[[list[History]], float]) -> None:
            ours, reference = (of(replace(setting, ours=mine), measure) for mine in (True, False))
            line = {"claim": claim, "rows": setting.rows, "rule": setting.rule, "histories": histories}
            print(json.dumps(line | {"ours": ours, "reference": reference}), flush=True)  # noqa: T201

        for rows in (150, 2000, 4000):
            calm = Setting(rows, NIGHTS, "not_worse", "calm", ours=True)
            report(
                "calm: share ever called better", calm, lambda all_: float(np.mean([bool(one.better) for one in all_]))
            )
            report(
                "calm: measured minus true accuracy of the champion, points",
                calm,
                lambda all_: 100 * float(np.mean([one.measured - one.champion for one in all_])),
            )
            report(
                "calm: promotions a year", calm, lambda all_: float(np.mean([len(one.promoted) - 1 for one in all_]))
            )
        decline = Setting(4000, NIGHTS, "not_worse", "decline", ours=True)
        losses = "decline: true loss of the champion after a year, points"
        report(f"{losses}, mean", decline, lambda all_: float(np.mean(_losses(all_))))
        report(f"{losses}, 95 % of histories", decline, lambda all_: float(np.quantile(_losses(all_), 0.95)))
        for rule in ("not_worse", "better"):
            for nights in (1 + PATIENCE, 31 + PATIENCE, 181 + PATIENCE):
                gain = Setting(2000, nights, rule, "gain", ours=True)
                late = nights - PATIENCE
                report(
                    f"gain of 2 points from night {late}: share promoted within {PATIENCE} nights",
                    gain,
                    lambda all_, late=late: float(np.mean([one.promoted[-1] >= late for one in all_])),
                )


def _losses(histories: list[History]) -> list[float]:
    return [100 * float(one.truth[0] - one.champion) for one in histories]


if __name__ == "__main__":
    main()
