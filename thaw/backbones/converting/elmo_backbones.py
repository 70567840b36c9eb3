"""Backbones of ELMo's files."""

import torch

from thaw.backbones.architectures import build
from thaw.backbones.converting.elmo_files import ReadElmo, elmo_files, read_elmo
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.encoders.elmo import Elmo
from thaw.backbones.weights import Weights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing
from thaw.kinds.texts.characters import sentence_marks


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of `options.json` and `weights.hdf5`; None: there are no such files. See `elmo_files` and `read_elmo`."""
    files = elmo_files(source.path)
    if files is None:
        return None
    size = files.weights.stat().st_size
    progress(0, size)
    read = read_elmo(files)
    progress(size, size)
    shape = read.shape
    layers = f"{shape.layers} layers of 2 x {shape.state} dimensions above the characters, and their mix"
    return Made(
        backbone_of_elmo(read),
        (layers, f"words of up to {read.longest - 2} bytes; longer ones are cut, as in AllenNLP"),
    )


def backbone_of_elmo(read: ReadElmo) -> Weights:
    """The weights of `thaw.backbones.encoders.elmo.Elmo`, with their architecture and preprocessing in the metadata."""
    network = build(read.shape.architecture, 1)
    assert isinstance(network, Elmo)
    network.load_state_dict(read.tensors, strict=False, assign=True)
    network.begin_after(torch.from_numpy(sentence_marks(read.longest)))
    torch.nn.init.zeros_(network.fc.weight)
    torch.nn.init.zeros_(network.fc.bias)
    preprocessing = CharacterPreprocessing(longest=read.longest)
    tensors = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    return Weights(tensors, {"architecture": read.shape.architecture, "preprocessing": preprocessing.to_json()})
