"""Near-copies of training examples in the test, by the cached features."""

from collections.abc import Sequence

import torch

from thaw.dataset.manifest import Example
from thaw.evaluation.checks import NearCopies
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.parallel.progress import Progress, untold
from thaw.review.duplicates import find_near_duplicates

COMPARED = 2000
"""The most test examples that are compared with the training examples; each costs a product with all of them."""


def count_near_copies(
    store: FeatureStore, layer: Layer, known: Sequence[Example], test: Sequence[Example], progress: Progress = untold
) -> NearCopies:
    """Count the test examples that are near-copies of known ones; of more than `COMPARED` those with the smallest digests, as a random sample.

    known, test: each content once.
    """
    drawn = sorted(test, key=lambda row: row.digest)[:COMPARED]
    digests = [row.digest for row in (*known, *drawn)]
    splits = torch.cat([torch.zeros(len(known), dtype=torch.int64), torch.ones(len(drawn), dtype=torch.int64)])
    pairs = find_near_duplicates(store.read(layer.fingerprint, layer.name, digests), splits, progress)
    return NearCopies(len(drawn), len({pair.second for pair in pairs}))


def first_of_each(examples: Sequence[Example]) -> list[Example]:
    """The first example of each content."""
    first: dict[bytes, Example] = {}
    for row in examples:
        first.setdefault(row.digest, row)
    return list(first.values())
