"""Features of examples that are given in a notebook, through the user's cache."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.features.extraction.worker import Extractor
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.shared_lock import adding
from thaw.foundation.parallel.progress import following
from thaw.models.scoring.arithmetic import arithmetic_of
from thaw.models.scoring.featuring import Featuring
from thaw.models.scoring.names import Input
from thaw.models.scoring.table import Row
from thaw.notebook.setup import Setup

FEW = 100
"""Features of at most so many examples are not kept: each call would add a file to the cache, and the next calls would open all of them."""
AT_ONCE = 2048
"""The most examples of a part of the cache."""


@contextmanager
def featuring(
    setup: Setup, backbone: Backbone, count: int, fingerprint: str = "", *, keep: bool | None = None
) -> Iterator[Featuring]:
    """A backbone with one cut layer, ready for `count` examples. Known features are looked up; new ones are kept if there are more than `FEW`.

    fingerprint: of the features that a model was trained on. keep: whether new features are kept; None: by their number.
    """
    cache, params = setup.cache, setup.params
    arithmetic = arithmetic_of(backbone, fingerprint, params.extract)
    extractor = Extractor.begin(backbone, params.extract, params.dataset.limits, cache.networks)
    cache.root.mkdir(parents=True, exist_ok=True)
    with adding(cache.lock), TemporaryDirectory(prefix="few-", dir=cache.root) as scratch:
        kept = count > FEW if keep is None else keep
        into = cache.features if kept else FeatureStore(Path(scratch))
        yield Featuring(
            arithmetic.layer,
            arithmetic.forward(extractor),
            into=into,
            others=() if kept else (cache.features,),
            limits=params.dataset.limits,
        )


@dataclass(frozen=True, eq=False)
class Featured:
    """Examples with their features: float32 [N, D], a row for each of `rows` without a reason, in order."""

    rows: Sequence[Row]
    features: Tensor

    @property
    def rejected(self) -> tuple[tuple[str, str], ...]:
        """The examples that cannot be used, and why."""
        return tuple((row.path, row.reason) for row in self.rows if row.reason)


def bring(setup: Setup, backbone: Backbone, inputs: Sequence[Input], *, keep: bool = True) -> Featured:
    """The features of examples at the backbone's only cut layer. keep: whether new ones are kept."""
    rows: list[Row] = []
    with (
        featuring(setup, backbone, len(inputs), keep=keep) as ready,
        setup.teller.counted("features", setup.kind.words.many) as progress,
    ):
        for start in range(0, max(1, len(inputs)), AT_ONCE):
            part = inputs[start : start + AT_ONCE]
            rows += ready.bring(part, len(inputs) - start, following(progress, start, len(inputs)))
        features = ready.read([row.digest for row in rows if row.digest is not None and not row.reason])
    return Featured(rows, features)
