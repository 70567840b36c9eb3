"""Small situations to be advised on, from real handwriting."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from thaw.kinds.kind import Words
from thaw.models.prices import Price
from thaw.params.sections import HeadParams, StrategyParams
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.advising import Situation, advise
from thaw.strategies.advice.options import Pilot
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.size import measure_size

HEAD = HeadParams(l2=(1e-3, 1e-1), hidden=(16,), epochs=10, folds=3)
ONCE = StrategyParams(repeats=1)
DIGITS = tuple("0123456789")
WORDS = Words("digit", "digits", "digit.png", "grey levels")


def price(strategy: Strategy) -> Price:
    return Price({"early": 1.0, "late": 4.0}.get(strategy.layer, 2.0), {"early": 900.0}.get(strategy.layer, 300.0))


def handwriting(a_class: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Some images of each digit, by all writers: float32 [10 * a_class, 64], and their targets. Fewer are always among more."""
    images = load_digits()
    order = torch.randperm(len(images.target), generator=torch.Generator().manual_seed(0))
    targets = torch.tensor(images.target)[order]
    rows = torch.cat([(targets == number).nonzero().flatten()[:a_class] for number in range(10)])
    return torch.tensor(images.data).float()[order][rows], targets[rows]


def coarse(pixels: torch.Tensor) -> torch.Tensor:
    """What a layer keeps that has thrown most away: four numbers an image."""
    return F.avg_pool2d(pixels.view(-1, 1, 8, 8), 4).flatten(1)


def pool_of(a_class: int, *, late_is_better: bool = True) -> Pool:
    """Two cut layers, `early` and `late`: the pixels, and what is left of them at a quarter of their side."""
    pixels, targets = handwriting(a_class)
    good, bad = pixels, coarse(pixels)
    early, late = (bad, good) if late_is_better else (good, bad)
    return Pool({"early": early, "late": late}, targets, DIGITS)


def situation_of(pool: Pool, pilot: Pilot | None = None, references: Pool | None = None) -> Situation:
    size = measure_size(pool.features["late"], pool.targets, pool.class_names, copies=0)
    return Situation(pool, references, size, price, pilot, labelled=len(pool), validation=0, test=153, words=WORDS)


def advice_of(pool: Pool, strategy: StrategyParams = ONCE) -> Advice:
    return advise(situation_of(pool), strategy, HEAD)
