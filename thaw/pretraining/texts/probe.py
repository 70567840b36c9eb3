"""What a pretrained encoder scores on sentences of its corpus that it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from thaw.backbones.backbone import AUTO, Backbone, cut
from thaw.backbones.weights import Weights
from thaw.kinds.batches import Batch, in_groups
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.registry import preprocessing_from_json
from thaw.pretraining.texts.numbering import Numbered

MOST_PAIRS = 1000
NEAREST = 0.1
"""The share of all sentences among which the neighbour is sought."""
_BATCH = 64


@dataclass(frozen=True)
class Probe:
    """pairs: of neighbouring sentences that were held out. found: the share whose second sentence is among the tenth of all second sentences that is most
    similar to the first one; chance is a tenth."""

    pairs: int
    found: float


def probe(weights: Weights, numbered: Numbered) -> Probe | None:
    """Measure the default cut layer by cosines of features less their mean; None: fewer than two pairs are held out."""
    neighbours = numbered.neighbours(1)
    own = neighbours[numbered.held_out[neighbours].all(1)]
    if len(own) < 2:
        return None
    own = own[np.linspace(0, len(own) - 1, min(len(own), MOST_PAIRS)).astype(np.int64)]
    backbone = cut(
        weights.metadata["architecture"], weights, (AUTO,), preprocessing_from_json(weights.metadata["preprocessing"])
    )
    here, there = (_features(own[:, side], numbered, backbone) for side in (0, 1))
    return Probe(len(own), share_found(here, there))


def share_found(here: Tensor, there: Tensor) -> float:
    """The share of rows whose partner in `there` is among the nearest tenth of its rows; here, there: float32 [P, D]."""
    first, second = (F.normalize(rows - rows.mean(0)) for rows in (here, there))
    similar = first @ second.T
    # Those that are as similar as the partner count half, so that features without any content are at chance.
    own = similar.diagonal()[:, None]
    others = (similar > own).sum(1) + ((similar == own).sum(1) - 1) / 2
    return float((others < NEAREST * len(here)).float().mean())


def _features(sentences: np.ndarray[tuple[int], np.dtype[np.int64]], numbered: Numbered, backbone: Backbone) -> Tensor:
    reader = open_reader(backbone.preprocessing, Limits())
    words = numbered.vocabulary.words
    texts = [" ".join(words[place] for place in numbered.sentence(int(number))) for number in sentences]
    examples = [reader.prepare(text.encode()) for text in texts]

    def computed(group: Sequence[Batch]) -> Tensor:
        return backbone.features(backbone.kind.collate(group))[backbone.layers[-1]].clone()

    return in_groups(examples, _BATCH, computed)
