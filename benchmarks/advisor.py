"""Claim: what the advice chooses lacks less than 1.5 points of the best strategy's test accuracy on average, and is never worse than always-linear on average.

    python benchmarks/advisor.py [--quick] [--keep FOLDER]

Situations from scikit-learn's digits and the embedded backbone (`advising/targets.py`): two targets like the backbone's source task, two unlike it, with few
labels and with many. In each, `advise` chooses from the labelled pictures alone, its pilot included; then every strategy that it could have chosen learns
from them, and 800 other pictures judge. `regret`: the best strategy's test accuracy minus that of the choice, in points. The best is picked on the test
pictures themselves, so even a perfect choice would have some. `reference` of the second claim: a linear head on the last layer, always.

A training takes 3 epochs, from scratch 6, and folds are 3, in the advice as after it: enough to rank, and minutes in all. --keep FOLDER: what was
measured stays there and is not measured again, so a run that was killed goes on. `--quick`: the two situations with the fewest labels.
"""

import argparse
import json
import tempfile
from pathlib import Path

from advising.trials import Scenario, Settings, Trial, hold_trial

from thaw.params.sections import FinetuneParams, HeadParams, ScratchParams

SETTINGS = Settings(
    HeadParams(l2=(1e-4, 1e-2, 1.0), hidden=(64,), epochs=20, folds=3),
    FinetuneParams(epochs=3, augment="none", scratch=ScratchParams(epochs=6)),
    repeats=3,
)
SMALL = {"digit": 5, "mirrored": 40, "brightness": 25, "position": 25}
LARGE = {"position": 130, "brightness": 130, "mirrored": 260, "digit": 52}
"""Labels a class. The rule calls fewer than 50 of them small, or fewer than 500 in all."""
SEEDS = (20, 21)
"""Not those that anything was chosen with."""
SCENARIOS = (
    *(Scenario(target, labels, SEEDS[0]) for target, labels in SMALL.items()),
    *(Scenario(target, labels, SEEDS[0]) for target, labels in LARGE.items()),
    *(Scenario(target, labels, SEEDS[1]) for target, labels in SMALL.items()),
)
QUICK = (Scenario("digit", 5, SEEDS[0]), Scenario("brightness", 25, SEEDS[0]))
GOAL = 1.5


def main() -> None:
    """Hold the trials, each printed when it is done; then one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two situations instead of twelve")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what was measured, to go on from there")
    arguments = parser.parse_args()
    scenarios = QUICK if arguments.quick else SCENARIOS
    with tempfile.TemporaryDirectory() as folder:
        keep = arguments.keep or Path(folder)
        print(
            f"{'target':11} {'labels':>6} {'seed':>4}  {'case':42} {'chosen':16} {'best':16} {'regret':>6} {'linear':>7}"
        )
        trials = []
        for scenario in scenarios:
            trials.append(hold_trial(scenario, SETTINGS, keep))
            print(_row(trials[-1]), flush=True)
    _claim(trials)


def _row(trial: Trial) -> str:
    one = trial.scenario
    return (
        f"{one.target:11} {one.labels_a_class:6} {one.seed:4}  {trial.case:42} {trial.chosen:16} {trial.best:16} "
        f"{100 * trial.regret:6.2f} {100 * trial.over_linear:+7.2f}"
    )


def _claim(trials: list[Trial]) -> None:
    count = len(trials)
    regret = 100 * sum(trial.regret for trial in trials) / count
    chosen = sum(trial.accuracies[trial.chosen] for trial in trials) / count
    best = sum(trial.accuracies[trial.best] for trial in trials) / count
    linear = sum(trial.accuracies["linear"] for trial in trials) / count
    worst = 100 * max(trial.regret for trial in trials)
    claims = (
        (f"mean regret of the advice, points, {count} situations", chosen, best, regret, GOAL),
        (f"points of test accuracy over always-linear, {count} situations", chosen, linear, 100 * (chosen - linear), 0),
    )
    print(f"worst regret {worst:.2f} points")
    for text, ours, reference, ratio, goal in claims:
        print(json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal}))


if __name__ == "__main__":
    main()
