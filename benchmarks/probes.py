"""Claim: probes at 5 cut layers, with 10 L2 strengths and 5 folds, on 2,000 images take less than 20 s on 2 cores once features are cached.

    python benchmarks/probes.py [--quick]

Features of 64, 128, 256, 512 and 1,280 dimensions for 2,000 images of 10 classes, made to look like a frozen network's (see head_vs_sklearn.py). The
reference is scikit-learn on the same standardised rows and folds, one fit after the other: the plain way to the same accuracies, at its own tolerance and
100 iterations at most. Both in one process; ours three times, the median, the reference once, as it takes minutes. `--quick`: 500 images, once.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from thaw.heads.standardisation import OUTLIER
from thaw.params.sections import HeadParams
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, measure_heads
from thaw.strategies.advice.pool import Fold, Pool, draw_folds

DIMS = (64, 128, 256, 512, 1280)
SWEEP = tuple(10.0 ** (-exponent / 2) for exponent in range(1, 11))
CLASSES, FOLDS, CORES = 10, 5, 2
GOAL_SECONDS = 20.0


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer images, one round")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows, rounds = (500, 1) if quick else (2000, 3)
    pool = make_pool(rows)
    folds = draw_folds(pool, folds=FOLDS, repeats=1, seed=0)
    probe_ours(pool, folds)  # warms up
    taken: dict[str, list[float]] = {"ours": [], "reference": []}
    for number in range(rounds):
        contenders = (("ours", probe_ours), ("reference", probe_theirs)) if number == 0 else (("ours", probe_ours),)
        for name, probe in contenders:
            started = time.perf_counter()
            accuracies = probe(pool, folds)
            taken[name].append(time.perf_counter() - started)
            print(f"{name:10} {taken[name][-1]:7.2f} s, accuracy {', '.join(f'{value:.3f}' for value in accuracies)}")
    ours, reference = (statistics.median(taken[name]) for name in ("ours", "reference"))
    text = f"seconds of probes at {len(DIMS)} layers, {len(SWEEP)} L2 strengths, {FOLDS} folds, {rows} images, {CORES} cores (goal: seconds)"
    print(
        json.dumps(
            {"claim": text, "ours": ours, "reference": reference, "ratio": reference / ours, "goal": GOAL_SECONDS}
        )
    )


def make_pool(rows: int) -> Pool:
    """Class means in a subspace that the noise is strong in, noise of power-law spectrum, rectified; deeper layers separate the classes better."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, CLASSES, (rows,), generator=generator)
    return Pool({f"layer{dim}": _layer(targets, dim, generator) for dim in DIMS}, targets, tuple("0123456789"))


def _layer(targets: torch.Tensor, dim: int, generator: torch.Generator) -> torch.Tensor:
    spectrum = torch.arange(1, dim + 1).float().rsqrt()
    spectrum /= spectrum.square().mean().sqrt()
    basis, _ = torch.linalg.qr(torch.randn(dim, dim, generator=generator))
    means = 3 / dim**0.5 * torch.randn(CLASSES, dim, generator=generator) @ (basis * spectrum)
    noise = (torch.randn(len(targets), dim, generator=generator) * spectrum) @ basis.T
    return torch.relu(means[targets] + noise + torch.randn(dim, generator=generator))


def probe_ours(pool: Pool, folds: Sequence[Fold]) -> list[float]:
    """The accuracy of each layer, as the stage `advise` measures it."""
    fitting = Fitting(HeadParams(l2=SWEEP), workers=CORES)
    found = measure_heads(pool, folds, [HeadTrial("linear", layer) for layer in pool.layers], fitting)
    return [float(np.nanmean(one.shares)) for one in found]


def probe_theirs(pool: Pool, folds: Sequence[Fold]) -> list[float]:
    """The accuracy of each layer at the best strength by the log loss over all folds."""
    return [_their_layer(pool, folds, layer) for layer in pool.layers]


def _their_layer(pool: Pool, folds: Sequence[Fold], layer: str) -> float:
    loss, right = np.zeros(len(SWEEP)), np.zeros(len(SWEEP))
    targets = pool.targets.numpy()
    for fold in folds:
        learn, judge = fold.learn.numpy(), fold.judge.numpy()
        scaler = StandardScaler().fit(pool.features[layer][fold.learn].numpy())
        rows = np.clip(scaler.transform(pool.features[layer].numpy()), -OUTLIER, OUTLIER)
        for number, l2 in enumerate(SWEEP):
            solver = LogisticRegression(C=1 / (len(learn) * l2), max_iter=100).fit(rows[learn], targets[learn])
            logs = np.log(solver.predict_proba(rows[judge]).clip(1e-12))
            loss[number] -= logs[np.arange(len(judge)), targets[judge]].sum()
            right[number] += (logs.argmax(1) == targets[judge]).sum()
    return float(right[loss.argmin()] / len(targets))


if __name__ == "__main__":
    main()
