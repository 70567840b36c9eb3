"""The features of a stream of examples: known ones are looked up, new ones are computed and kept."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch

from thaw.features.extraction.spot_check import changes
from thaw.features.store.store import FeatureStore, Layer
from thaw.kinds.kind import Limits
from thaw.models.scoring.fetching import FileInMemory, fetch
from thaw.models.scoring.forward import Forward, expected_passes
from thaw.models.scoring.known import Known
from thaw.models.scoring.names import Input
from thaw.models.scoring.table import Row

log = logging.getLogger(__name__)


class Featuring:
    """A backbone that is ready for examples, up to one layer. computed: the number of examples that went through the network."""

    def __init__(
        self,
        layer: Layer,
        forward: Forward,
        *,
        into: FeatureStore,
        others: Sequence[FeatureStore] = (),
        limits: Limits,
    ) -> None:
        """into: the store for new features. others: stores that are only read."""
        self._layer, self._forward, self._into = layer, forward, into
        self._refuse_size = partial(forward.kind.refuse_size, limits=limits)
        self._known = Known(layer, (into, *others))
        if changed := changes(self._known.stated):
            log.warning(
                "cached features were made in another way (%s); `thaw run --stage extract` checks whether they are still right",
                changed,
            )
        self.computed = 0

    def bring(self, inputs: Sequence[Input], left: int, tell: Callable[[int], None]) -> list[Row]:
        """A row for each example, in order, with the reason if it cannot be used. New features are in the store before the method returns.

        left: the number of examples from these on. tell: called with the number of these that have been read.

        Raises:
            Unreachable: the place of an example does not answer.
            BadParameters, OutOfMemory: see `Forward.features_of`.
        """
        rows: list[Row] = []
        given: set[bytes] = set()
        reasons: dict[bytes, str] = {}
        digests: list[bytes] = []
        features: list[torch.Tensor] = []
        lacking = self._lacking(inputs, rows, given)
        try:
            for computed in self._forward.features_of(lacking, lambda: expected_passes(len(given), len(rows), left)):
                tell(len(rows))
                reasons |= computed.reasons
                digests += computed.digests
                features += [] if computed.features is None else [computed.features]
        finally:  # if a place stops answering, the features computed before are kept
            self._keep(digests, features)
        return [replace(row, reason=row.reason or reasons.get(row.digest or b"", "")) for row in rows]

    def read(self, digests: Sequence[bytes]) -> torch.Tensor:
        """The features of examples that were brought, in their order: float32 [N, dim]; see `Known.read`."""
        return self._known.read(digests)

    def _keep(self, digests: Sequence[bytes], features: Sequence[torch.Tensor]) -> None:
        if features:
            self._known.add(self._into.write(self._layer, digests, torch.cat(list(features)), self._forward.stated))
            self.computed += len(digests)

    def _lacking(
        self, inputs: Iterable[Input], rows: list[Row], given: set[bytes]
    ) -> Iterator[tuple[bytes, FileInMemory]]:
        """Append a row for every input, and yield the inputs without known features, once each."""
        for fetched in fetch(inputs, self._refuse_size):
            rows.append(Row(fetched.path, fetched.digest, fetched.reason))
            if (
                fetched.digest is None
                or fetched.file is None
                or fetched.digest in given
                or self._known.has(fetched.digest)
            ):
                continue
            given.add(fetched.digest)
            yield fetched.digest, fetched.file
