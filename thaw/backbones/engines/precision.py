"""The precision of `auto`: bfloat16 if the hardware has it and the backbone tolerates it."""

import logging
from collections.abc import Callable

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.devices import has_bfloat16
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.kinds.batches import Batch, rows_in

log = logging.getLogger(__name__)

SAMPLE = 8


def settle_precision(
    backbone: Backbone,
    device: torch.device,
    *,
    cached: Callable[[Precision], int],
    sample: Callable[[int], Batch],
) -> Precision:
    """The precision of a run under `auto`.

    The features in the cache decide first, because a run must not compute everything anew on another machine than the machine that filled the cache. Without
    them the hardware decides, and whether bfloat16 is within its tolerance on this backbone.

    cached: a function that returns the number of features of a precision in the cache. sample: a function that returns N of the user's examples, prepared, or
    all of them if there are fewer; with a single example the precision is float32.
    """
    precisions: tuple[Precision, ...] = ("bfloat16", "float32")
    rows = {precision: cached(precision) for precision in precisions}
    most = max(precisions, key=lambda precision: rows[precision])
    if rows[most]:
        log.info("precision auto: %s, the precision of the features in the cache", most)
        return most
    if not has_bfloat16(device):
        log.info("precision auto: float32, because this hardware has no bfloat16 products")
        return "float32"
    batch = sample(SAMPLE)
    if rows_in(batch) < 2:
        return "float32"
    features = build_torch_engine(backbone, "bfloat16", torch.device("cpu")).features(batch)
    expected = reference_features(batch, backbone)
    worst = worst_deviation(features, expected)
    allowed = TOLERANCES["bfloat16"].allows(worst)
    log.info("precision auto: %s; bfloat16 has %s", "bfloat16" if allowed else "float32", worst)
    return "bfloat16" if allowed else "float32"
