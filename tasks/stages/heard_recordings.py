"""Cached sequences of recordings, for fitting and judging detectors of triggers."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.project.paths import FEATURES
from thaw.dataset.manifest import TRAIN, Example
from thaw.features.sequences.plan import HearingPlan
from thaw.features.sequences.store import read_sequences
from thaw.features.sequences.surroundings import BEFORE_S
from thaw.features.store.hearing import CLEARLY, Hearing
from thaw.features.store.store import EXTRACT_AGAIN, FeatureIndex, FeatureStore, SequenceLayer
from thaw.foundation.errors import IncompleteFeatures
from thaw.heads.trigger.tuning import HeardRecording


def sequences_of(index: FeatureIndex, hearing: Hearing = CLEARLY) -> SequenceLayer:
    """The place of the sequences of a hearing.

    Raises:
        IncompleteFeatures: none were extracted.
    """
    for layer in (index.sequences, *index.further):
        if layer is not None and layer.hearing == hearing:
            return layer
    raise IncompleteFeatures(f"a trigger is heard in sequences of features, and none were extracted; {EXTRACT_AGAIN}")


def first_window_s(places: int, layer: SequenceLayer) -> float:
    """Where the first window of so many places ends, in seconds of a recording without the quiet around it."""
    return layer.window_s + (places - 1) * layer.period_s - BEFORE_S


def read_heard(rows: Sequence[Example], layer: SequenceLayer) -> list[HeardRecording]:
    """The recordings of rows, in their order; a recording without a group is its own."""
    heard = read_sequences(FeatureStore(FEATURES), layer, [row.digest for row in rows])
    return [
        HeardRecording(each.features, each.hours, row.group or row.path, row.names or (), each.end)
        for row, each in zip(rows, heard, strict=True)
    ]


def read_training(
    rows: Sequence[Example], index: FeatureIndex, plan: HearingPlan, *, plain: bool = False
) -> list[HeardRecording]:
    """Training recordings with their versions in noise; plain: without a backbone."""
    heard = read_heard(rows, sequences_of(index, Hearing(plain)))
    for hearing in plan.rows:
        if hearing.plain == plain and hearing.noise == TRAIN:
            own = plan.within(hearing, rows)
            noisy = {
                row.digest: each.sequence
                for row, each in zip(own, read_heard(own, sequences_of(index, hearing)), strict=True)
            }
            heard = [
                replace(each, noisy=(*each.noisy, noisy[row.digest])) if row.digest in noisy else each
                for row, each in zip(rows, heard, strict=True)
            ]
    return heard
