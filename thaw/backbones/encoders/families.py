"""The families of networks whose names state their sizes."""

from collections.abc import Callable, Sequence

from torch import nn

from thaw.backbones.encoders import bert, subword_vectors, word_vectors

FAMILIES: Sequence[Callable[[str, int], nn.Module | None]] = (
    word_vectors.network_named,
    subword_vectors.network_named,
    bert.network_named,
)
"""Each function takes a name and the number of classes, and returns a random network, or None for the name of another family."""
