"""The operations of a network for one example, counted and not timed: the same number on every machine, however busy it is."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from thaw.backbones.backbone import Backbone
from thaw.kinds.batches import Batch, rows_in


def operations_of(backbone: Backbone, batch: Batch) -> float:
    """Multiplications and additions of the backbone up to its last cut layer, for one of the B prepared examples of the batch, in the mean.

    Products of matrices, convolutions and attention are counted, as torch's own counter does. A network that only looks numbers up, such as word vectors,
    counts as one operation for each number of its features.
    """
    ends = backbone.only(backbone.layers[-1:])
    with _countable(ends.extractor), FlopCounterMode(display=False) as counter:
        (features,) = ends.features(batch).values()
    return max(float(counter.get_total_flops()) / rows_in(batch), float(features.shape[1]))


@contextmanager
def _countable(network: nn.Module) -> Iterator[None]:
    """A context in which layers that would run as one fused operation run as the products that they consist of."""
    fused = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fused)
        torch.backends.mha.set_fastpath_enabled(False)
        if any(isinstance(module, nn.RNNBase) for module in network.modules()):
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        yield
