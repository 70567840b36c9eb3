"""Cached sequences of recordings, for fitting and judging detectors of triggers."""

from collections.abc import Sequence

from tasks.project.paths import FEATURES
from thaw.dataset.manifest import Example
from thaw.features.sequences.store import read_sequences
from thaw.features.store.store import EXTRACT_AGAIN, FeatureIndex, FeatureStore, SequenceLayer
from thaw.foundation.errors import IncompleteFeatures
from thaw.heads.trigger.tuning import HeardRecording


def sequences_of(index: FeatureIndex) -> SequenceLayer:
    """The place of the sequences.

    Raises:
        IncompleteFeatures: none were extracted.
    """
    if index.sequences is None:
        raise IncompleteFeatures(
            f"a trigger is heard in sequences of features, and none were extracted; {EXTRACT_AGAIN}"
        )
    return index.sequences


def read_heard(rows: Sequence[Example], layer: SequenceLayer) -> list[HeardRecording]:
    """The recordings of rows, in their order; a recording without a group is its own."""
    heard = read_sequences(FeatureStore(FEATURES), layer, [row.digest for row in rows])
    return [
        HeardRecording(each.features, each.hours, row.group or row.path, row.names or (), each.end)
        for row, each in zip(rows, heard, strict=True)
    ]
