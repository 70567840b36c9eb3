"""The cache proves itself: a few cached images are extracted again, and must come out as they were."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from secrets import SystemRandom

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import StaleFeatures
from thaw.kinds.kind import Reader, Reference

log = logging.getLogger(__name__)

SAMPLE = 8
"""Images that are extracted again, drawn anew each time."""
SLACK = 2.0
"""Two engines may each lie on another side of the reference, each within its tolerance."""
TYPICAL = 0.1
"""The root mean square of rounding, as a share of its largest: another crop or filter moves all values, rounding moves few so far."""


def self_check(
    store: FeatureStore,
    layers: Sequence[Layer],
    backbone: Backbone,
    reader: Reader,
    *,
    cached: Sequence[Reference],
    precision: Precision,
) -> None:
    """Extract a random sample of `cached` again, in every layer and view, and compare it with what the store holds.

    Raises:
        StaleFeatures: a value differs by more than the tolerance. Nothing was written; the message says which libraries changed since. It is an
            error and no warning: a head that is trained on features which the served backbone does not give would be wrong in silence.
    """
    sample = SystemRandom().sample(cached, min(SAMPLE, len(cached)))
    if not sample:
        return
    digests = [digest for digest, _ in sample]
    views = reader.read(sample, tuple(dict.fromkeys(layer.view for layer in layers)))
    found = {view: backbone.features(batch) for view, batch in views.items()}
    worst, most = 0.0, SLACK * TOLERANCES[precision].largest
    for layer in layers:
        held = store.read(layer.fingerprint, layer.name, digests)
        # In standard deviations of all values and not by column: images that look alike have columns that do not vary.
        off = (found[layer.view][layer.name].cpu() - held) / held.std().clamp(min=1e-12)
        largest, typical = float(off.abs().max()), float(off.square().mean().sqrt())
        if not (largest <= most and typical <= TYPICAL * most):  # `not` catches what is no number
            raise StaleFeatures(_complaint(store, layer, largest))
        worst = max(worst, largest)
    log.info("self-check: %d cached images extracted again, largest difference %.4f sd", len(sample), worst)


def _complaint(store: FeatureStore, layer: Layer, off: float) -> str:
    changed = changes(store.stated(layer))
    why = f" ({changed})" if changed else ", and no library has changed: perhaps the files have, or the processor"
    folder = store.root / layer.fingerprint
    return (
        f"the cached features of {layer.name} are not what this machine computes now: they differ by up to {off:.2f} sd{why}; delete {folder} to compute them "
        "anew, or go back to those versions"
    )


def changes(stated: Iterable[Mapping[str, str]]) -> str:
    """What the parts were made with and is not here now: "torch 2.12.0 then, 2.13.0 now"; empty if nothing. Imported parts do not say."""
    now = made_with()
    parts = list(stated)
    then = {name: sorted({part[name] for part in parts if name in part} - {now[name]}) for name in now}
    found = [f"{name} {', '.join(old)} then, {now[name]} now" for name, old in then.items() if old]
    if any(name not in part for part in parts for name in now):
        found.append("some parts do not say all that they were made with")
    return "; ".join(found)
