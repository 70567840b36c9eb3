"""The conversion of other programs' files to a backbone: safetensors that state their architecture and preprocessing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thaw.backbones.converting import (
    elmo_backbones,
    encoder_backbones,
    infersent_backbones,
    nnlm_backbones,
    quick_thought_backbones,
    skip_thought_backbones,
    sound_encoder_backbones,
    speech_embedding_backbones,
    use_backbones,
    word_backbones,
)
from thaw.backbones.converting.official_names import similar_names
from thaw.backbones.converting.packages import PACKAGES, folder_of
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.text_towers import write_beside
from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress, untold


def _tower(source: Source, progress: Progress) -> Made | None:
    from thaw.backbones.providers.hf_provider import (
        tower_in,  # it needs a kind's preprocessing and, for a tower, transformers
    )

    return tower_in(source.path, progress)


FORMATS: Sequence[Callable[[Source, Progress], Made | None]] = (
    sound_encoder_backbones.backbone_in,
    _tower,
    encoder_backbones.backbone_in,
    use_backbones.backbone_in,
    nnlm_backbones.backbone_in,
    skip_thought_backbones.backbone_in,
    quick_thought_backbones.backbone_in,
    word_backbones.backbone_in,
    elmo_backbones.backbone_in,
    infersent_backbones.backbone_in,
    speech_embedding_backbones.backbone_in,
)
"""Each function returns None for a source of another format. The first one that takes a source reads it."""
READ = (
    "word vectors (`.txt`, `.vec` and `.bin` files of GloVe, word2vec and fastText, but not of its first format)",
    "folders with the config.json of an encoder of BERT's family",
    "folders with the config.json of an encoder of speech (wav2vec 2.0, HuBERT, WavLM, Whisper)",
    "folders with the config.json of a vision tower (ViT, DINOv2, DINOv3, CLIP, SigLIP)",
    f"encoders of installed packages by name ({', '.join(PACKAGES)})",
    "ELMo's options.json and weights.hdf5",
    "infersent1.pkl and infersent2.pkl of InferSent",
    "folders with Skip-Thought's uni_skip.npz or bi_skip.npz",
    "checkpoints of Quick-Thought, which TensorFlow wrote",
    "modules `nnlm` of TF-hub (folders with saved_model.pb)",
    "folders with the speech embedding's embedding_model.onnx and melspectrogram.onnx",
)
"""What is read, for messages."""


@dataclass(frozen=True)
class Converted:
    """The result of a conversion. notes: sentences on what was read, and on what was left out."""

    path: Path
    architecture: str
    notes: tuple[str, ...]


def convert(source: Source, out: Path, progress: Progress = untold) -> Converted:
    """Write the backbone of another program's files, atomically. A path that does not exist may be a name of `PACKAGES`.

    progress: called with the bytes that are read, of all bytes.

    Raises:
        BadWeights: the source is missing, damaged, or of no format that is read.
        BadParameters: a package is needed, and not installed.
    """
    if not source.path.exists() and (folder := folder_of(str(source.path))) is not None:
        source = replace(source, path=folder)
    for backbone_in in FORMATS:
        if (made := backbone_in(source, progress)) is not None:
            if made.texts is not None:
                write_beside(out, made.texts)
            write_weights(out, made.weights.tensors, made.weights.metadata)
            return Converted(out, made.weights.metadata["architecture"], made.notes)
    if not source.path.exists():
        raise BadWeights(
            f"{source.path} does not exist, and is no name of an encoder; {similar_names(str(source.path))}; {_what_is_read()}"
        )
    raise BadWeights(f"{source.path} holds no network and no word vectors that are known; {_what_is_read()}")


def _what_is_read() -> str:
    return f"these are read: {'; '.join(READ)}"
