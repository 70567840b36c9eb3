"""The families of networks whose names state their sizes."""

from collections.abc import Callable, Sequence

from torch import nn

from thaw.backbones import plain
from thaw.backbones.encoders import (
    bert,
    elmo,
    infersent,
    lstm,
    nnlm,
    paragraph_vectors,
    phones,
    quick_thought,
    skip_thought,
    speech_embedding,
    subword_vectors,
    use,
    wav2vec2,
    whisper,
    word_vectors,
)

FAMILIES: Sequence[Callable[[str, int], nn.Module | None]] = (
    word_vectors.network_named,
    subword_vectors.network_named,
    paragraph_vectors.network_named,
    bert.network_named,
    use.network_named,
    plain.network_named,
    elmo.network_named,
    infersent.network_named,
    lstm.network_named,
    skip_thought.network_named,
    quick_thought.network_named,
    nnlm.network_named,
    phones.network_named,
    speech_embedding.network_named,
    wav2vec2.network_named,
    whisper.network_named,
)
"""Each function takes a name and the number of classes, and returns a random network, or None for the name of another family."""
