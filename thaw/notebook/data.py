"""A data set in a notebook: read, split and checked as the stage `ingest` does, with its features in the user's cache."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from thaw.backbones.backbone import Backbone
from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places, places_of
from thaw.dataset.triggers import Aim
from thaw.features.extraction.extraction import Aids, extract
from thaw.features.store.store import FeatureIndex
from thaw.foundation.files.shared_lock import adding
from thaw.notebook.setup import Setup

_SHOWN = 3
Reason = tuple[str, str]
"""A file that cannot be used, and why, as the end of a sentence."""


@dataclass(frozen=True, eq=False)
class Data:
    """An ingested data set, and the places of its examples."""

    ingested: Ingested
    places: Places

    @property
    def manifest(self) -> Manifest:
        """The usable examples."""
        return self.ingested.manifest

    @property
    def rejected(self) -> tuple[Reason, ...]:
        """The other files."""
        return tuple((file.path, file.reason) for file in self.ingested.rejected)


def read_data(setup: Setup, level: int = 5) -> Data:
    """Open, hash and decode every file of `dataset.source`, and split it; files that cannot be used are named in a warning.

    level: the number of calls up to the user's line.

    Raises:
        BadSource: see `thaw.dataset.ingestion.ingest`.
    """
    params, words = setup.params.dataset, setup.kind.words
    places = places_of(params)
    with setup.teller.counted("reading", words.many) as progress:
        ingested = ingest(places, params, setup.kind, aim=Aim(params.target), progress=progress)
    data = Data(ingested, places)
    warn_of(data.rejected, words.many, level)
    return data


def warn_of(rejected: Sequence[Reason], many: str, level: int) -> None:
    """Warn of files that cannot be used. many: the word for examples. level: the number of calls up to the user's line."""
    if not rejected:
        return
    shown = "; ".join(f"{path} {reason}" for path, reason in rejected[:_SHOWN])
    more = f"; and {len(rejected) - _SHOWN} more" if len(rejected) > _SHOWN else ""
    warnings.warn(f"{len(rejected)} of the {many} cannot be used: {shown}{more}", stacklevel=level)


def cached(setup: Setup, manifest: Manifest, places: Places, backbone: Backbone) -> FeatureIndex:
    """Bring the cache up to date with a manifest; only what is missing goes through the network. Raises: see `extract`."""
    cache, params = setup.cache, setup.params
    with adding(cache.lock), setup.teller.counted("features", backbone.words.many) as progress:
        aids = Aids(keep=cache.networks, progress=progress)
        return extract(
            manifest, places, backbone, cache.features, params.extract, limits=params.dataset.limits, aids=aids
        ).index
