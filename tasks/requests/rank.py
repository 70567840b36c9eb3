"""The request `thaw rank`: a ranking of backbones on the project's data. It is no stage; a person asks for it."""

from collections.abc import Sequence
from pathlib import Path

from tasks.project.local_state import CACHE_LOCK, NETWORKS
from tasks.project.paths import FEATURES, MANIFEST, WEIGHTS
from thaw.backbones.official_weights import fetch_weights, weights_of
from thaw.dataset.manifest import read_manifest
from thaw.evaluation.backbone_ranking.page import render_ranking
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.atomic import write_text
from thaw.foundation.files.shared_lock import adding
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.registry import kind_named
from thaw.params.values.reading import read_params
from thaw.strategies.backbone_ranking import Ranking, write_ranking
from thaw.strategies.named_backbones import Desk, rank_named

RANKING = Path("data/ranking.json")
PAGE = Path("data/ranking.html")


def rank(names: Sequence[str], progress: Progress = untold, minutes: float | None = None) -> Ranking:
    """Rank backbones by name (`thaw.backbones.official_weights.weights_of`), and the model without a backbone; write `data/ranking.json` and its page.

    names, minutes: see `rank_named`. Features go to the pipeline's store, so the chosen backbone has them there.

    Raises:
        BadParameters, BadWeights, BadManifest: see `rank_named`.
        BadArtifact: there is no manifest.
    """
    params, manifest = read_params(), read_manifest(MANIFEST)
    desk = Desk(FeatureStore(FEATURES), NETWORKS, _bring)
    with adding(CACHE_LOCK):
        ranking = rank_named(names, manifest, params, desk, progress, minutes)
    write_ranking(ranking, RANKING)
    write_text(PAGE, render_ranking(ranking, params.registry.name, kind_named(manifest.kind).words))
    return ranking


def _bring(name: str) -> Path:
    """The file of a backbone, in the project's folder of weights if it has a name."""
    weights = weights_of(name)
    if weights.parent == WEIGHTS:
        fetch_weights(weights)
    return weights
