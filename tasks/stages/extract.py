"""The stage `extract`: features of every example in the manifest that has none yet."""

import json
import logging
from dataclasses import replace
from pathlib import Path

from tasks.project.entry import stage
from tasks.project.local_state import CACHE_LOCK, NETWORKS, RECORD
from tasks.project.paths import FEATURES, FEATURES_INDEX, MANIFEST, SCORED_FEATURES, SETTINGS
from tasks.project.progress import counted
from thaw.features.extraction.nothing_to_do import look, record_settled, settled_index
from thaw.features.store.store import FeatureIndex, FeatureStore, write_index
from thaw.foundation.files.shared_lock import adding
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings

log = logging.getLogger(__name__)


def main() -> None:
    """Read the manifest and the backbone, bring `data/features/` up to date, write `data/features.json`."""
    with adding(CACHE_LOCK):
        _bring_up_to_date(read_settings(SETTINGS))


def _bring_up_to_date(params: Params) -> None:
    asked, inputs = _asked(params), (MANIFEST, Path(params.backbone.weights))
    if (settled := settled_index(RECORD, asked, inputs)) is not None:
        log.info("%d examples: all with features already, and nothing has changed", settled.rows)
        write_index(settled, FEATURES_INDEX)
        return
    beginning = look(asked, inputs)
    index = _extract(params)
    write_index(index, FEATURES_INDEX)
    record_settled(RECORD, beginning, FeatureStore(FEATURES), index)


def _asked(params: Params) -> str:
    """The parameters that this stage reads, as text."""
    read = ("source", "max_megapixels", "max_characters", "max_seconds", "encoding")
    dataset = {name: getattr(params.dataset, name) for name in read}
    sections = {"backbone": params.backbone.model_dump(mode="json"), "extract": params.extract.model_dump(mode="json")}
    return json.dumps({"dataset": dataset, "noise": params.trigger.noise, **sections}, sort_keys=True)


def _extract(params: Params) -> FeatureIndex:
    # PyTorch takes seconds to load, so it is imported only if there may be work.
    from thaw.backbones.backbone import read_backbone
    from thaw.dataset.manifest import read_manifest
    from thaw.dataset.places import places_of
    from thaw.features.extraction.extraction import Aids, extract
    from thaw.features.sequences.extraction import Recordings, extract_sequences
    from thaw.features.sequences.network import refuse_unless_local
    from thaw.features.sequences.plan import plan_of
    from thaw.targets.supports import supports
    from thaw.targets.target import target_of

    manifest = read_manifest(MANIFEST)
    backbone = read_backbone(params.backbone, manifest.decoding)
    for note in backbone.notes:
        log.info("- %s: %s", params.backbone.weights, note)
    places, store = places_of(params.dataset), FeatureStore(FEATURES)
    plan = plan_of(manifest, params.trigger.noise) if supports(target_of(manifest), "sequences") else None
    if plan is not None:
        refuse_unless_local(backbone)
    with counted("extract", "examples") as progress:
        aids = Aids(keep=NETWORKS, lender=FeatureStore(SCORED_FEATURES), progress=progress)
        index = extract(
            manifest, places, backbone, store, params.extract, limits=params.dataset.limits, aids=aids
        ).index
    if plan is None:
        return index
    recordings = Recordings(places, params.dataset.limits)
    with counted("extract", "recordings") as progress:
        sequences, *further = extract_sequences(plan, recordings, backbone, store, params.extract, progress=progress)
    return replace(index, sequences=sequences, further=tuple(further))


if __name__ == "__main__":
    stage(main)
