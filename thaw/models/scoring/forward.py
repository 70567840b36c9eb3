"""The forward pass over streamed examples: with the engines and decoders of an extraction, and with reasons in the place of errors."""

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
from thaw.models.scoring.fetching import FileInMemory, batched

SAMPLE = 32
"""The number of examples that engines and decoders are chosen on."""


@dataclass(frozen=True, eq=False)
class Computed:
    """The result for some examples: features [rows, dim] of the stored type, row i of `digests[i]`, and the reasons why others cannot be used."""

    digests: tuple[bytes, ...]
    features: torch.Tensor | None
    reasons: Mapping[bytes, str] = field(default_factory=dict)


class Forward:
    """The network up to one layer. The engine is chosen when the first usable examples have come."""

    def __init__(self, extractor: Extractor, layer: Layer, precision: Precision, dtype: torch.dtype) -> None:
        self._extractor, self._layer, self._precision, self._dtype = extractor, layer, precision, dtype
        self._prepared: Prepared | None = None

    @property
    def kind(self) -> Kind:
        """The kind of examples that the network takes."""
        return self._extractor.backbone.kind

    @property
    def stated(self) -> dict[str, str]:
        """The record of how the features were made, for the parts that they fill."""
        assert self._prepared is not None, "nothing was computed yet"
        return self._prepared.stated

    def features_of(
        self, files: Iterable[tuple[bytes, FileInMemory]], expected: Callable[[], int]
    ) -> Iterator[Computed]:
        """The features of examples, batch by batch, in order, by as many threads as an extraction has; see `Extractor.forward`.

        expected: called when the engine is chosen; it returns the expected number of examples for the network, these and later ones.

        Raises:
            BadParameters: no engine gives the right features.
            OutOfMemory: there is not enough memory for a single example in the backbone.
        """
        left = iter(files)
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

    def _peek(
        self, files: Iterator[tuple[bytes, FileInMemory]]
    ) -> tuple[list[tuple[bytes, FileInMemory]], dict[bytes, str]]:
        """The first usable examples, and the reasons why earlier ones cannot be used."""
        good: list[tuple[bytes, FileInMemory]] = []
        reasons: dict[bytes, str] = {}
        for digest, file in files:
            readable, _, why = read_usable(self._extractor.reader, [(digest, file)], self._extractor.backbone.kind)
            reasons |= why
            good += [(digest, file)] if readable else []
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
    """The usable examples of a batch, the same prepared together (None: none is usable), and the reasons why the others cannot be used."""
    try:
        return batch, reader.read(batch, (IDENTITY,))[IDENTITY], {}
    except BadExample as error:
        if len(batch) == 1:
            return (), None, {batch[0][0]: str(error)}
    # One example makes the whole batch fail, and the error does not name it.
    single = [read_usable(reader, [example], kind) for example in batch]
    good = [examples_in(part)[0] for _, part, _ in single if part is not None]
    reasons = {digest: reason for _, _, why in single for digest, reason in why.items()}
    usable = [example for examples, _, _ in single for example in examples]
    return usable, kind.collate(good) if good else None, reasons


def expected_passes(lacking: int, seen: int, left: int) -> int:
    """The expected number of `left` examples without features, by the share of such examples among those `seen` so far."""
    return math.ceil(left * lacking / max(1, seen))
