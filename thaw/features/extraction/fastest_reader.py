"""The choice of an extraction's reader: a GPU may decode faster, and must give the same features."""

import logging
from collections.abc import Callable, Sequence
from time import perf_counter

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision, Work
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.kinds.batches import Batch, moved
from thaw.kinds.kind import IDENTITY, Reader, Reference
from thaw.kinds.reading import spread

log = logging.getLogger(__name__)

SAMPLE = 32
"""The number of examples on which the two ways are compared."""


def fastest_reader(
    plain: Reader, backbone: Backbone, precision: Precision, examples: Sequence[Reference], work: Work
) -> Reader:
    """The faster of two readers on a sample, `plain` with all workers of the CPU or the kind's reader for the device.

    `plain` is taken if the kind has no such reader, or if its features miss the tolerance of the precision.
    """
    sample = spread(examples, SAMPLE)
    other = plain.on(work.device)
    if other is None or len(sample) < SAMPLE:
        return plain
    expected = reference_features(_read(plain, sample), backbone)
    features = reference_features(_read(other, sample), backbone)
    worst = worst_deviation(features, expected)
    here = _seconds(lambda: _read(plain, sample)) / work.workers
    there = _seconds(lambda: moved(_read(other, sample), torch.device("cpu")))
    right = TOLERANCES[precision].allows(worst)
    log.info(
        "decoding on the GPU: %.0f %s/s, on the CPU %.0f; %s%s",
        SAMPLE / there,
        backbone.words.many,
        SAMPLE / here,
        worst,
        "" if right else ", outside the tolerance",
    )
    return other if right and there < here else plain


def _read(reader: Reader, examples: Sequence[Reference]) -> Batch:
    return reader.read(examples, (IDENTITY,))[IDENTITY]


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
