"""The coverage of a data set by a backbone, counted on its examples."""

from collections.abc import Sequence
from functools import partial

from thaw.backbones.backbone import Backbone
from thaw.features.store.coverage import Coverage
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.kinds.batches import Batch, alone, length_of
from thaw.kinds.kind import Reader, Reference, Windowed
from thaw.kinds.reading import read_ingested, spread

LOOKED_AT = 10_000
"""The number of examples whose length is counted."""
SAMPLE = 256
"""The number of examples in which unknown words are counted."""


def coverage_of(backbone: Backbone, reader: Reader, examples: Sequence[Reference]) -> Coverage | None:
    """The counts over the examples, given with the longest first, whether or not they have features already. None: nothing can be counted.

    Raises:
        BadSource: an example is gone, or has changed since the ingestion.
    """
    preprocessing = backbone.preprocessing
    window = preprocessing.window if isinstance(preprocessing, Windowed) else None
    longest = examples[:LOOKED_AT] if window is not None else ()
    sample = spread(examples, SAMPLE) if backbone.has_vocabulary else ()
    if not longest and not sample:
        return None
    windowed = sum(length > (window or 0) for _, length in map_ahead(partial(_length, reader), longest, depth=_depth()))
    words = [counts for _, counts in map_ahead(partial(_unknown, backbone, reader), sample, depth=_depth())]
    total = sum(count for _, count in words)
    unknown = sum(share * count for share, count in words if count) / total if total else None
    return Coverage(window, windowed, len(longest), unknown, len(sample))


def _depth() -> int:
    return 4 * usable_cores()


def _prepared(reader: Reader, example: Reference) -> Batch:
    """An example without its first dimension."""
    return reader.prepare(read_ingested(*example))


def _length(reader: Reader, example: Reference) -> int:
    return length_of(_prepared(reader, example))


def _unknown(backbone: Backbone, reader: Reader, example: Reference) -> tuple[float, int]:
    """The share of an example's words that the backbone does not know, and their number."""
    batch = alone(_prepared(reader, example))
    mask = backbone.preprocessing.mask(batch)
    assert mask is not None, "a network with a vocabulary has a mask of words"
    return backbone.unknown_share(batch), int(mask.sum())
