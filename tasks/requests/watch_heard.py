"""The measurement of `thaw watch` for models of triggers: new recordings, by the means of their sequences and the triggers that are heard in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from tasks.registry.deployed_model import find_version, read_triggers
from tasks.registry.registry import CHAMPION, open_registry
from tasks.registry.version_tags import hears_triggers
from tasks.requests.hear import heard_whole
from tasks.requests.score import taken
from tasks.requests.watch import Batch, Measured, measure_batch
from thaw.drift.measuring import measure_drift
from thaw.drift.observed import observe
from thaw.drift.record import DriftReport, Origin
from thaw.drift.reference import Reference
from thaw.drift.scored import choose_rows
from thaw.features.sequences.extraction import clear_fingerprints
from thaw.features.sequences.recordings import mean_within
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.parallel.progress import Progress, untold
from thaw.models.prediction.trigger_predictor import TriggerPredictor, answer_of
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.params.sections import Params
from thaw.targets.trigger.events import Scores


def watches_recordings(params: Params) -> bool:
    """Whether the champion is a model of triggers; False if there is no champion."""
    version = open_registry(params.registry).by_alias(CHAMPION)
    return version is not None and hears_triggers(version)


def measure_heard(sources: Sequence[str], params: Params, progress: Progress = untold) -> Measured:
    """Compare recordings with the reference of the champion; see `measure_batch`. sources: see `thaw.models.scoring.inputs`.

    Raises:
        BadSource, Unreachable: a source is missing, holds nothing, or does not answer; or no recording can be used.
        RegistryError, BadArtifact: see `read_triggers`; or the version has no reference.
    """
    registry, entries = open_registry(params.registry), tuple(open_inputs(sources, taken()))
    predictor, version = read_triggers(registry), find_version(registry, None)
    assert version is not None, "the champion was read"
    found, reasons = list[_Recording](), list[str]()
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_hear(predictor, entry, params))
        except BadExample as error:
            reasons.append(f"`{entry.path}` {error}")
        progress(number, len(entries))
    if not found:
        raise BadSource(f"{len(reasons)} recordings given, and none can be used: {reasons[0]}")
    origin = Origin(version.name, version.number, datetime.now(UTC).isoformat(timespec="seconds"))
    digests = [each.digest for each in found]

    def compare(reference: Reference) -> DriftReport:
        rows, left_out = choose_rows(digests, reference.rows.digests, len(reasons))
        chosen = [found[row] for row in rows]
        features = torch.stack([each.mean for each in chosen]) if chosen else torch.empty(0, reference.layer.dim)
        answer = answer_of(predictor.head, [each.scores for each in chosen])
        return measure_drift(
            reference,
            observe([each.digest for each in chosen], features, answer),
            params.watch,
            confidence=params.statistics.confidence,
            origin=origin,
            left_out=left_out,
            other_way=reference.layer.fingerprint not in clear_fingerprints(predictor.backbone),
        )

    return measure_batch(Batch(origin, digests, compare), params)


@dataclass(frozen=True, eq=False)
class _Recording:
    """mean: of its places, float32 [D]. scores: of each word."""

    digest: bytes
    mean: torch.Tensor
    scores: Sequence[Scores]


def _hear(predictor: TriggerPredictor, entry: Input, params: Params) -> _Recording:
    heard = heard_whole(predictor, entry, params.dataset.limits)
    mean = mean_within(heard.features, heard.frames, predictor.span)
    return _Recording(heard.digest, mean, predictor.head.scores(heard.features))
