"""The price of a deployed model: its size, and the number of examples a second that it labels on this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from thaw.backbones.backbone import Backbone
from thaw.backbones.size import model_size
from thaw.kinds.batches import Batch, rows_in
from thaw.params.values.strategy import Strategy

ROUNDS = 4
BYTES = 4


@dataclass(frozen=True)
class Price:
    """The price of a deployed model: its size in MB (10^6 bytes, float32), and examples a second on this machine; None: not measured."""

    megabytes: float
    images_per_second: float | None


Pricing = Callable[[Strategy], Price]


def price_models(
    backbone: Backbone, layers: Sequence[str], batch: Batch, classes: int, hidden: Sequence[int]
) -> Pricing:
    """A function from strategies to prices. batch: prepared examples for the measurement of speed, on torch's number of threads.

    The backbone ends at the strategy's layer, so a cut model is measured without the layers beyond. Speed is that of the network alone, without decoding.
    hidden: widths of the new layers of an mlp.
    """
    ends = {layer: backbone.only((layer,)) for layer in layers}
    dims = {layer: cut.features(batch)[layer].shape[1] for layer, cut in ends.items()}  # the pass also warms up
    sizes = {layer: model_size(cut).bytes for layer, cut in ends.items()}
    speeds = _images_per_second(ends, batch)

    def price(strategy: Strategy) -> Price:
        dim = dims[strategy.layer]
        widths = (dim, *hidden, classes) if strategy.kind == "mlp" else (dim, classes)
        head = sum((first + 1) * second for first, second in pairwise(widths))
        return Price((sizes[strategy.layer] + head * BYTES) / 1e6, speeds[strategy.layer])

    return price


def _images_per_second(ends: Mapping[str, Backbone], batch: Batch) -> dict[str, float]:
    """The best of a few rounds in which all layers take turns, so that other work of the machine affects all of them alike."""
    best = dict.fromkeys(ends, 0.0)
    for _ in range(ROUNDS):
        for layer, backbone in ends.items():
            started = time.perf_counter()
            backbone.features(batch)
            best[layer] = max(best[layer], rows_in(batch) / (time.perf_counter() - started))
    return best
