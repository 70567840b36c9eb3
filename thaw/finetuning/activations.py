"""The frozen part's activations, computed once, so that an epoch costs only the thawed part."""

from collections.abc import Sequence

import torch
from torch import Tensor

from thaw.features.store.store import FeatureStore, Layer
from thaw.finetuning.network import Network
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.batches import Batch, laid_out
from thaw.kinds.kind import View
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.views import views_chosen_from
from thaw.params.sections import FinetuneParams

BATCH = 64


def kept_views(
    network: Network, examples: LabelledInputs, params: FinetuneParams, *, learnt: int, judged: int
) -> tuple[View, ...]:
    """The views whose activations are kept; none if no layer is frozen, if examples vary freely, or if the activations would take too much memory.

    learnt, judged: numbers of examples that are trained on and held out. examples: any of them, for the size of their activations.
    """
    views = views_chosen_from(params.augment, network.backbone.kind)
    if network.lower is None or params.mixup or params.cutmix or not views:
        return ()
    numbers = run_frozen(network, examples.batch(torch.tensor([0])), "identity").numel() * (
        learnt * len(views) + judged
    )
    return views if 4 * numbers <= params.activations_mb * 1_000_000 else ()


def frozen_activations(
    network: Network,
    examples: LabelledInputs,
    views: Sequence[View],
    store: FeatureStore,
    progress: Progress = untold,
) -> Tensor:
    """The frozen part's activations for every example in every view, float32 [N, V, ...]: from the store, after missing ones are added.

    Each batch is a part of the store, so a killed run loses at most one batch.
    """
    assert network.boundary is not None
    shape = run_frozen(network, examples.batch(torch.tensor([0])), "identity").shape[1:]
    dim = shape.numel()
    by_view = []
    for number, view in enumerate(views):
        fingerprint = network.backbone.fingerprint("float32", "float32", view=view)
        layer = Layer(fingerprint, network.boundary, dim, view)
        stored = set(store.digests(fingerprint, network.boundary).to_pylist())
        # A digest may occur twice, for copies in validation; one row of it is enough.
        missing = list({digest: row for row, digest in enumerate(examples.digests) if digest not in stored}.values())
        for start in range(0, len(missing), BATCH):
            rows = missing[start : start + BATCH]
            given = run_frozen(network, examples.batch(torch.tensor(rows)), view)
            store.write(layer, [examples.digests[row] for row in rows], given.flatten(1), {})
            progress(number * len(examples) + start + len(rows), len(views) * len(examples))
        by_view.append(store.read(fingerprint, network.boundary, examples.digests).view(-1, *shape))
    return torch.stack(by_view, 1)


def run_frozen(network: Network, batch: Batch, view: View) -> Tensor:
    """The frozen part's activations for a view of prepared examples: float32 [B, ...]."""
    assert network.lower is not None
    backbone = network.backbone
    seen = backbone.kind.viewed(batch, view)
    with torch.no_grad():
        out: Tensor = network.lower(laid_out(backbone.preprocessing.normalise(seen)))
        return out.contiguous()
