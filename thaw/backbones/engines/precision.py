"""The precision of `auto`: bfloat16 if the hardware has it and the backbone tolerates it."""

import logging
from collections.abc import Callable

import torch

from thaw.backbones.backbone import Backbone
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
    """The precision that a run under `auto` computes in.

    What the cache holds decides first: a run must not compute everything anew because another machine filled the cache. Then the hardware, and
    whether bfloat16 is within its tolerance on this backbone.

    cached: how many features of that precision there are already. sample: gives N of the user's own examples, prepared, or fewer where there are
    fewer; a single one decides for float32.
    """
    precisions: tuple[Precision, ...] = ("bfloat16", "float32")
    rows = {precision: cached(precision) for precision in precisions}
    most = max(precisions, key=lambda precision: rows[precision])
    if rows[most]:
        log.info("precision auto: %s, as the cache has it", most)
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


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32: AMX or AVX-512 BF16, or a GPU's tensor cores."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(known.get("amx_bf16") or known.get("avx512_bf16"))
