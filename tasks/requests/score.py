"""The requests `thaw predict` and `score`: a deployed model labels any number of examples into one table. No stage; a person or a schedule asks for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.project.local_state import CACHE_LOCK, NETWORKS
from tasks.project.locks import exclusive
from tasks.project.paths import FEATURES, SCORED_FEATURES, SCORES
from tasks.registry.deployed_model import Deployed, read_deployed
from tasks.registry.mlflow_store import STATE
from tasks.registry.registry import open_registry
from thaw.features.extraction.worker import Extractor
from thaw.features.store.store import FeatureStore, Layer, check_part_rows
from thaw.foundation.errors import BadParameters, BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.files.shared_lock import adding
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.kind import Cutting, Limits
from thaw.kinds.registry import kind_named
from thaw.models.scoring.arithmetic import Arithmetic, arithmetic_of
from thaw.models.scoring.featuring import Featuring
from thaw.models.scoring.fetching import fetch
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.known import Known
from thaw.models.scoring.scoring import Scored, Scorer, score_all
from thaw.models.scoring.table import ScoredBy, read_scores
from thaw.models.scoring.taken import Taken
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.reading import read_params

ENDING = ".parquet"


@dataclass(frozen=True)
class Outlook:
    """The forecast of a scoring, in numbers of examples of a kind. cached: with features. unusable: cannot be opened. remote: elsewhere, and not opened."""

    model: str
    version: str
    kind: str
    examples: int
    cached: int
    unusable: int
    remote: int


@dataclass(frozen=True)
class _Ready:
    """A model, the arithmetic of its features, and the settings of their computation."""

    deployed: Deployed
    arithmetic: Arithmetic
    params: Params

    @property
    def layer(self) -> Layer:
        return self.arithmetic.layer

    @property
    def limits(self) -> Limits:
        return self.params.dataset.limits

    def refuse_size(self, nbytes: int) -> None:
        """See `Kind.refuse_size`."""
        self.deployed.predictor.backbone.kind.refuse_size(nbytes, self.limits)


def score(
    sources: Sequence[str], output: Path | None = None, model: str | None = None, progress: Progress = untold
) -> Scored:
    """Score examples and write `output` (None: `default_output`), a table of `thaw.models.scoring.table.SCHEMA`; a killed run continues.

    sources: see `thaw.models.scoring.inputs`. model: see `read_deployed`.
    New features go to `data/scores/features`; those of training are read as well.

    Raises:
        BadSource, Unreachable: a source is missing, holds nothing, or does not answer.
        RegistryError, BadArtifact: there is no such model, or it is torn.
        BadParameters: `output` is no Parquet file, or no engine runs the model here.
    """
    path = (check_output(output) if output is not None else default_output(sources)).absolute()
    lock = STATE / "scoring" / f"{digest_bytes(str(path).encode()).hex()[:24]}.lock"
    with exclusive(lock):
        stores = FeatureStore(SCORED_FEATURES), (FeatureStore(FEATURES),)
        return _score(sources, path, model, progress, into=stores[0], others=stores[1])


def score_once(sources: Sequence[str], output: Path, model: str | None = None, progress: Progress = untold) -> Scored:
    """Score a few examples: known features are used, and new ones are not kept."""
    STATE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=STATE, prefix="scoring-") as scratch:
        others = FeatureStore(FEATURES), FeatureStore(SCORED_FEATURES)
        return _score(sources, output, model, progress, into=FeatureStore(Path(scratch)), others=others)


def refuse_unusable(scored: Scored) -> None:
    """Refuse a table without an answer, after it was written or shown.

    Raises:
        BadSource: no example could be used; the message has the first reason.
    """
    if scored.rejected < scored.examples:
        return
    first = next(read_scores(scored.path)).slice(0, 1).to_pylist()[0]
    words = kind_named(scored.kind).words
    raise BadSource(
        f"{words.counted(scored.examples)} given, and none can be used: `{first['path']}` {first['reason']}"
        f"{'; the column reason has the others' if scored.examples > 1 else ''}"
    )


def look(sources: Sequence[str], model: str | None = None, progress: Progress = untold) -> Outlook:
    """Count the examples to score, and those of this machine that have features. The function reads the files, and computes and writes nothing.

    Raises:
        BadSource, Unreachable, RegistryError, BadArtifact: see `score`.
    """
    inputs = open_inputs(sources, taken())
    total = sum(1 for _ in inputs)
    ready = _ready(model)
    known = Known(ready.layer, (FeatureStore(FEATURES), FeatureStore(SCORED_FEATURES)))
    here = (entry for entry in inputs if entry.place is None or entry.place.is_here)
    cached = unusable = seen = 0
    for seen, entry in enumerate(fetch(here, ready.refuse_size), start=1):
        cached += entry.digest is not None and known.has(entry.digest)
        unusable += entry.digest is None
        progress(seen, total)
    deployed = ready.deployed
    kind = deployed.predictor.backbone.kind.name
    return Outlook(deployed.name, deployed.version, kind, total, cached, unusable, remote=total - seen)


def refuse_outlook(outlook: Outlook) -> None:
    """Refuse a forecast without an example that can be opened.

    Raises:
        BadSource: none can be opened.
    """
    if outlook.unusable == outlook.examples:
        raise BadSource(f"{kind_named(outlook.kind).words.counted(outlook.examples)} given, and none can be opened")


def taken() -> Taken:
    """What the project takes as examples."""
    params = read_params()
    kind = kind_of(params)
    return Taken(kind.words.ending, kind.takes_rows, params.dataset.encoding, isinstance(kind, Cutting))


def check_output(output: Path) -> Path:
    """The path of a table; a bare name lies in `data/scores`.

    Raises:
        BadParameters: `output` is no name of a Parquet file.
    """
    if output.name == str(output) and not output.suffix:
        return SCORES / f"{output}{ENDING}"
    if output.suffix != ENDING or output.is_dir():
        raise BadParameters(
            f"{output} is no name of a table; name a file that ends in {ENDING}, such as scores.parquet"
        )
    return output


def default_output(sources: Sequence[str]) -> Path:
    """A table in `data/scores`, the same for the same sources."""
    first = next(filter(None, reversed(re.split(r"[/\\*?\[\]]+", sources[0]))), "") if sources else ""
    name = re.sub(r"[^\w.-]+", "-", Path(first).stem).strip("-.") or "scores"
    return SCORES / f"{name}-{digest_bytes(chr(0).join(sources).encode()).hex()[:6]}{ENDING}"


def _score(
    sources: Sequence[str],
    output: Path,
    model: str | None,
    progress: Progress,
    *,
    into: FeatureStore,
    others: Sequence[FeatureStore],
) -> Scored:
    inputs = open_inputs(sources, taken())
    next(iter(inputs))  # an empty glob is reported before a model is loaded
    with adding(CACHE_LOCK):
        ready = _ready(model)
        params = ready.params.extract
        check_part_rows(ready.layer, params.part_rows)
        return score_all(
            inputs,
            _scorer(ready, into, others),
            _scored_by(ready),
            output,
            key=f"{ready.deployed.key} {ready.layer} {ready.limits}",
            part_rows=params.part_rows,
            progress=progress,
        )


def _ready(model: str | None) -> _Ready:
    params = read_params()
    if params.extract.engine == "ray":  # a cluster makes parts of what was ingested; scoring runs on this machine
        params = params.model_copy(
            update={"extract": params.extract.model_copy(update={"engine": "auto", "device": "auto"})}
        )
    deployed = read_deployed(open_registry(params.registry), model)
    backbone = deployed.predictor.backbone
    return _Ready(deployed, arithmetic_of(backbone, deployed.fingerprint, params.extract), params)


def _scorer(ready: _Ready, into: FeatureStore, others: Sequence[FeatureStore]) -> Scorer:
    predictor, limits = ready.deployed.predictor, ready.limits
    extractor = Extractor.begin(predictor.backbone, ready.params.extract, limits, NETWORKS)
    forward = ready.arithmetic.forward(extractor)
    return Scorer(predictor, Featuring(ready.layer, forward, into=into, others=others, limits=limits))


def _scored_by(ready: _Ready) -> ScoredBy:
    deployed, layer = ready.deployed, ready.layer
    names = deployed.predictor.class_names
    return ScoredBy(deployed.name, deployed.version, layer.fingerprint, layer.name, layer.dim, names)
