"""Claim: with 5 labels a class, a head on the embedded backbone's frozen features beats the same network from scratch by 5 points.

    python benchmarks/transfer_gain.py [--quick]

scikit-learn's digits, half of them the test; each of 10 seeds draws 5 labels a class from the other half; all learn from the same images. `ours` and
`reference` are mean test accuracies, `ratio` is their difference in points with its paired 95% t interval over the seeds. `--quick`: 3 seeds.
"""

import argparse
import json

from tasks.stages.backbone_card import measure_on_digits
from tasks.stages.pretrain import WEIGHTS

GOALS = {"scratch": 5.0, "pixels": 0.0, "random_backbone": 0.0}


def main() -> None:
    """Measure and print one JSON line for each way to learn without transfer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 10")
    seeds = 3 if parser.parse_args().quick else 10
    found = measure_on_digits(WEIGHTS, seeds=seeds, labels_per_class=5)
    for contender in found.contenders:
        print(f"{contender.name:16} {contender.mean:.3f}   {' '.join(f'{one:.3f}' for one in contender.accuracies)}")
    for gain in found.gains:
        interval = found.interval(gain)
        claim = {
            "claim": f"points of test accuracy over {gain.over}, 5 labels a class, {seeds} seeds",
            "ours": found.contender("frozen").mean,
            "reference": found.contender(gain.over).mean,
            "ratio": 100 * interval.value,
            "interval": [100 * interval.low, 100 * interval.high],
            "goal": GOALS[gain.over],
        }
        print(json.dumps(claim))


if __name__ == "__main__":
    main()
