"""The folder of a user for what is computed once: features by content, converted networks, downloaded weights, tables made of data frames."""

import os
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.official_weights import fetch_weights, weights_of
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import Unreachable
from thaw.foundation.files.shipped import shipped
from thaw.params.values.places import NAMED_WEIGHTS, SHIPPED_WEIGHTS, shipped_in

VARIABLE = "THAW_CACHE"
"""The variable that names another folder."""
FRAME = "frame.parquet"
"""The file of a table that was made of a data frame."""


@dataclass(frozen=True)
class Cache:
    """A cache below `root`. Features are keyed by content, so any number of data sets and processes share one."""

    root: Path

    @property
    def features(self) -> FeatureStore:
        """The features of examples, as a project keeps them in `data/features`."""
        return FeatureStore(self.root / "features")

    @property
    def lock(self) -> Path:
        """The lock of processes that add features."""
        return self.root / "features.lock"

    @property
    def networks(self) -> Path:
        """Networks that were converted for an engine."""
        return self.root / "networks"

    @property
    def tables(self) -> Path:
        """Tables made of data frames, by their content."""
        return self.root / "tables"

    @property
    def activations(self) -> FeatureStore:
        """The outputs of frozen layers; none are kept while nothing is thawed."""
        return FeatureStore(self.root / "activations")

    def bring(self, name: str) -> Path:
        """The file of a backbone's name, which is fetched if it is missing; see `weights_of`.

        Raises:
            BadWeights: the name is unknown.
            Unreachable, BadArtifact: the download failed.
        """
        return self.laid(weights_of(name))

    def laid(self, weights: Path) -> Path:
        """Where the file of `backbone.weights` lies: a named one in this cache, one that ships with Thaw where it is, another where it is named."""
        if weights.parent != NAMED_WEIGHTS or weights.exists():
            return weights.absolute()
        if (own := shipped_in(weights.name)) is not None:
            return shipped(SHIPPED_WEIGHTS[own])
        here = self.root / "weights" / weights.name
        here.parent.mkdir(parents=True, exist_ok=True)
        try:
            fetch_weights(here)
        except Unreachable as error:
            raise Unreachable(f"{error}; or name a file of weights by backbone=") from error
        return here


def cache_at(folder: "str | Path | None") -> Cache:
    """The cache in a folder; None: in `THAW_CACHE`, or else in `thaw` below `XDG_CACHE_HOME` or `~/.cache`."""
    if folder is None:
        folder = os.environ.get(VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "thaw"
    return Cache(Path(folder).expanduser().absolute())
