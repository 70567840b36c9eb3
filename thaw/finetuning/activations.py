"""The frozen part's activations, computed once: an epoch then costs the thawed part alone."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from thaw.features import FeatureStore, Layer
from thaw.finetuning.images import LabelledImages
from thaw.finetuning.network import Network
from thaw.progress import Progress, untold
from thaw.views import View

BATCH = 64


def activation_shape(network: Network, images: LabelledImages) -> tuple[int, ...]:
    """The shape of what the frozen part gives for one image."""
    assert network.lower is not None
    return tuple(_run(network, network.lower, images.batch(torch.tensor([0]))).shape[1:])


def frozen_activations(
    network: Network,
    images: LabelledImages,
    views: Sequence[View],
    store: FeatureStore,
    progress: Progress = untold,
) -> Tensor:
    """What the frozen part gives for every image in every view, float32 [N, V, ...]: from the store, after adding what it lacks.

    views: `identity` and `hflip`, of the cropped image. Each batch is a part of the store, so a killed run loses one at most.
    """
    assert network.lower is not None and network.boundary is not None
    shape = activation_shape(network, images)
    dim = torch.Size(shape).numel()
    found = []
    for number, view in enumerate(views):
        fingerprint = network.backbone.fingerprint("float32", "float32", view=view)
        layer = Layer(fingerprint, network.boundary, dim, view)
        held = set(store.digests(fingerprint, network.boundary).to_pylist())
        # A digest may come twice (images in two classes do not, copies in validation may): one row of it is enough.
        missing = list({digest: row for row, digest in enumerate(images.digests) if digest not in held}.values())
        for start in range(0, len(missing), BATCH):
            rows = missing[start : start + BATCH]
            pixels = images.batch(torch.tensor(rows))
            given = _run(network, network.lower, pixels.flip(-1) if view == "hflip" else pixels)
            store.write(layer, [images.digests[row] for row in rows], given.flatten(1), {})
            progress(number * len(images) + start + len(rows), len(views) * len(images))
        found.append(store.read(fingerprint, network.boundary, images.digests).view(-1, *shape))
    return torch.stack(found, 1)


def _run(network: Network, lower: nn.Module, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        batch = network.backbone.preprocessing.normalise(pixels).contiguous(memory_format=torch.channels_last)
        out: Tensor = lower(batch)
        return out.contiguous()
