"""The spot check of the cache: a few cached examples are extracted again, and must give the same features."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from secrets import SystemRandom

from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import StaleFeatures
from thaw.kinds.kind import Reader, Reference

log = logging.getLogger(__name__)

SAMPLE = 8
"""The number of examples that are extracted again; each check draws others."""
SLACK = 2.0
"""The factor on the tolerance, because two engines may deviate from the reference in opposite directions."""
TYPICAL = 0.1
"""The largest root mean square of a deviation, as a share of its largest value: another crop or filter changes all values, rounding changes few so much."""


def self_check(
    store: FeatureStore,
    layers: Sequence[Layer],
    backbone: Backbone,
    reader: Reader,
    *,
    cached: Sequence[Reference],
    precision: Precision,
) -> None:
    """Extract a random sample of `cached` again, in every layer and view, and compare it with the stored features.

    Raises:
        StaleFeatures: a value differs by more than the tolerance. No feature was written, and the message names the libraries that changed since. It is an
            error and no warning, because a head on features that the served backbone does not give would be wrong without notice.
    """
    sample = SystemRandom().sample(cached, min(SAMPLE, len(cached)))
    if not sample:
        return
    digests = [digest for digest, _ in sample]
    views = reader.read(sample, tuple(dict.fromkeys(layer.view for layer in layers)))
    computed = {view: backbone.features(batch) for view, batch in views.items()}
    worst = 0.0
    for layer in layers:
        stored = store.read(layer.fingerprint, layer.name, digests)
        worst = max(worst, compare_again(store, layer, stored, computed[layer.view][layer.name].cpu(), precision))
    log.info("self-check: %d cached examples extracted again, largest difference %.4f sd", len(sample), worst)


def compare_again(store: FeatureStore, layer: Layer, stored: Tensor, computed: Tensor, precision: Precision) -> float:
    """The largest difference of stored features and the same computed again, in standard deviations; float32 [N, D] both.

    Raises:
        StaleFeatures: they differ by more than the tolerance.
    """
    most = SLACK * TOLERANCES[precision].largest
    if computed.shape != stored.shape:
        raise StaleFeatures(_complaint(store, layer, f"have {len(stored)} places where there are {len(computed)} now"))
    # The unit is the standard deviation of all values and not of a column, because columns of similar examples do not vary.
    off = (computed - stored) / stored.std().clamp(min=1e-12)
    largest, typical = float(off.abs().max()), float(off.square().mean().sqrt())
    if not (largest <= most and typical <= TYPICAL * most):  # `not` catches NaN
        differ = f"differ by up to {largest:.2f} sd from those that this machine computes now"
        raise StaleFeatures(_complaint(store, layer, differ))
    return largest


def _complaint(store: FeatureStore, layer: Layer, differ: str) -> str:
    changed = changes(store.stated(layer))
    why = f" ({changed})" if changed else ", and no library has changed; perhaps the files or the processor have"
    folder = store.root / layer.fingerprint
    return f"the cached features of {layer.name} {differ}{why}; delete {folder} to compute them again, or go back to those versions"


def changes(stated: Iterable[Mapping[str, str]]) -> str:
    """The differences between the parts' environments and the present one, as "torch 2.12.0 then, 2.13.0 now"; imported parts may not record theirs."""
    now = made_with()
    parts = list(stated)
    then = {name: sorted({part[name] for part in parts if name in part} - {now[name]}) for name in now}
    differences = [f"{name} {', '.join(old)} then, {now[name]} now" for name, old in then.items() if old]
    if any(name not in part for part in parts for name in now):
        differences.append("some parts do not record their whole environment")
    return "; ".join(differences)
