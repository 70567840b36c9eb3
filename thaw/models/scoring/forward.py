"""The network over examples that are not at hand yet: the engines and decoders of an extraction, and a reason in the place of an error."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import torch

from thaw.backbones.engines import Precision
from thaw.features.extraction.worker import ExtractionTask, Extractor, Prepared, check_finite
from thaw.features.store.store import Layer
from thaw.foundation.errors import BadExample
from thaw.foundation.parallel.ordered_map import map_ahead
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch, examples_in
from thaw.kinds.kind import IDENTITY, Kind, Reader, Reference
from thaw.models.scoring.fetching import Held, batched

SAMPLE = 32
"""Examples that engines and decoders are chosen on."""


@dataclass(frozen=True, eq=False)
class Computed:
    """Some examples: features [rows, dim] as they are stored, row i of `digests[i]`; and why others cannot be used."""

    digests: tuple[bytes, ...]
    features: torch.Tensor | None
    reasons: Mapping[bytes, str] = field(default_factory=dict)


class Forward:
    """Passes examples through the network of one layer. The engine is chosen when the first that can be used has come."""

    def __init__(self, extractor: Extractor, layer: Layer, precision: Precision, dtype: torch.dtype) -> None:
        self._extractor, self._layer, self._precision, self._dtype = extractor, layer, precision, dtype
        self._prepared: Prepared | None = None

    @property
    def stated(self) -> dict[str, str]:
        """How features were made, for the parts that they fill."""
        assert self._prepared is not None, "nothing was computed yet"
        return self._prepared.stated

    def features_of(self, images: Iterable[tuple[bytes, Held]], expected: Callable[[], int]) -> Iterator[Computed]:
        """Batch by batch, in order, by as many threads as an extraction has; see `Extractor.forward`.

        expected: asked when the engine is chosen: how many examples are to go through the network in all, these and those to come.

        Raises:
            BadParameters: no engine gives the right features.
            OutOfMemory: memory does not hold a single example in the backbone.
        """
        left = iter(images)
        if self._prepared is None:
            good, reasons = self._peek(left)
            yield Computed((), None, reasons)
            if not good:
                return
            task = ExtractionTask((self._layer,), tuple(good))
            self._prepared = self._extractor.prepare(task, self._precision, max(expected(), len(good)))
            left = chain(good, left)
        work = partial(self._compute, self._prepared)
        workers, batches = self._extractor.workers, batched(left, self._extractor.size)
        with threads(1):
            for _, computed in map_ahead(work, batches, workers=workers, depth=workers + 1):
                yield computed

    def _peek(self, images: Iterator[tuple[bytes, Held]]) -> tuple[list[tuple[bytes, Held]], dict[bytes, str]]:
        """The first examples that can be used, and why others that came before them cannot."""
        good: list[tuple[bytes, Held]] = []
        reasons: dict[bytes, str] = {}
        for digest, held in images:
            readable, _, why = read_usable(self._extractor.reader, [(digest, held)], self._extractor.backbone.kind)
            reasons |= why
            good += [(digest, held)] if readable else []
            if len(good) == SAMPLE:
                break
        return good, reasons

    def _compute(self, prepared: Prepared, batch: Sequence[Reference]) -> Computed:
        usable, prepared_batch, reasons = read_usable(prepared.reader, batch, self._extractor.backbone.kind)
        if prepared_batch is None:
            return Computed((), None, reasons)
        features = prepared.engine.features(prepared_batch)[self._layer.name].to(self._dtype)
        check_finite({self._layer: features}, usable)
        return Computed(tuple(digest for digest, _ in usable), features, reasons)


def read_usable(
    reader: Reader, batch: Sequence[Reference], kind: Kind
) -> tuple[Sequence[Reference], Batch | None, dict[bytes, str]]:
    """The examples of a batch that can be used, and prepared together (None: none can), and why the others cannot."""
    try:
        return batch, reader.read(batch, (IDENTITY,))[IDENTITY], {}
    except BadExample as error:
        if len(batch) == 1:
            return (), None, {batch[0][0]: str(error)}
    # One fails the whole batch, and nothing says which.
    single = [read_usable(reader, [example], kind) for example in batch]
    good = [examples_in(part)[0] for _, part, _ in single if part is not None]
    reasons = {digest: reason for _, _, why in single for digest, reason in why.items()}
    usable = [example for examples, _, _ in single for example in examples]
    return usable, kind.collate(good) if good else None, reasons


def expected_passes(lacking: int, seen: int, left: int) -> int:
    """How many of `left` examples lack features, if it goes on as with those `seen` so far."""
    return math.ceil(left * lacking / max(1, seen))
