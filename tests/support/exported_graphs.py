"""Exported graphs beside the networks that they were made of."""

from collections.abc import Iterable

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.export import Dim, export

from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.texts.padded import MASK


class Inside(nn.Module):
    """A network inside another, as exports have it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        output: Tensor = self.network(batch)
        return output


def one_graph_gives_the_same(network: nn.Module, first: Batch, batches: Iterable[Batch]) -> None:
    """Export a network by the first batch, of two texts or more; the graph takes texts of any number and length, as a program of torch and as ONNX."""
    given, size, length = dict(mapping_of(first)), Dim("batch"), Dim("length", min=2)
    with torch.no_grad():
        program = export(Inside(network), (given,), dynamic_shapes=({name: {0: size, 1: length} for name in given},))
        converted = torch.onnx.export(program, dynamo=True, verbose=False)
        assert converted is not None
        session = onnxruntime.InferenceSession(converted.model_proto.SerializeToString())
        for batch in batches:
            texts = dict(mapping_of(batch))
            wanted = network(texts)
            assert wanted.abs().sum() > 0
            if texts[MASK].shape[1] > 1:  # a program of torch takes no dimension below that of `Dim`
                assert torch.allclose(program.module()(texts), wanted, atol=1e-6)
            arrays = {entry.name: texts[name].numpy() for entry, name in zip(session.get_inputs(), given, strict=True)}
            assert np.abs(session.run(None, arrays)[0] - wanted.numpy()).max() < 1e-5
