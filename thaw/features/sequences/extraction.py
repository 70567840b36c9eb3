"""The extraction of sequences: a frozen pass over each recording that has none yet, a piece of it at a time."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import SystemRandom

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.dataset.manifest import Example
from thaw.dataset.places import Places
from thaw.features.extraction.spot_check import changes, compare_again
from thaw.features.sequences.ears import Ear, ear_of, plain_ear
from thaw.features.sequences.mixing import Noise
from thaw.features.sequences.network import rate_of
from thaw.features.sequences.plan import HearingPlan
from thaw.features.sequences.recordings import end_in
from thaw.features.sequences.store import Heard, read_sequences, write_sequences
from thaw.features.sequences.surroundings import BEFORE, BEHIND, surrounded
from thaw.features.store.environment import made_with
from thaw.features.store.hearing import Hearing
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, SequenceLayer, hash_digests
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.kind import Limits, Reader, Reference
from thaw.kinds.prepared import open_reader
from thaw.kinds.reading import read_ingested
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, SAMPLES
from thaw.params.sections import ExtractParams

log = logging.getLogger(__name__)

HEARD_AGAIN = 2
"""The number of cached recordings of a hearing that are heard again, where there are new ones or other libraries; each check draws others."""
_DTYPES = ("float32", "float16")
_QUIETLY = f"in {BEFORE} and {BEHIND} frames of quiet"
PART_BYTES = 2**25
"""About the size of a part: some two hours of sound at 96 numbers each 80 ms."""


@dataclass(frozen=True)
class Recordings:
    """Where recordings lie, and the bounds of reading them."""

    places: Places
    limits: Limits

    def references(self, rows: Iterable[Example]) -> dict[bytes, Reference]:
        """Each recording once, by its digest."""
        return {row.digest: (row.digest, self.places.at(row.path)) for row in rows}


@dataclass(frozen=True)
class _Listener:
    """The hearing of one recording."""

    ear: Ear
    reader: Reader
    dtype: torch.dtype
    noise: Noise | None

    def hear(self, reference: Reference) -> Heard:
        """The sequence of a recording in the stored type.

        Raises:
            BadSource: the recording is gone, or has changed since the ingestion.
            BadParameters: its features are not finite.
        """
        example = self.reader.prepare(read_ingested(*reference))
        frames = mapping_of(example)[SAMPLES]
        around = surrounded(frames)
        if self.noise is not None:
            around = self.noise.around(around, frames, reference[0])
        features = self.ear.places(around).to(self.dtype)
        if not features.isfinite().all():
            raise BadParameters(
                f"{reference[1]}: its features are not finite numbers; set extract.dtype=float32, or check the backbone's weights"
            )
        return Heard(features, len(frames), end_in(example, self.ear.span))


def extract_sequences(
    plan: HearingPlan,
    recordings: Recordings,
    backbone: Backbone,
    store: FeatureStore,
    params: ExtractParams,
    *,
    progress: Progress = untold,
) -> tuple[SequenceLayer, ...]:
    """Bring the sequences of a plan up to date: a layer a hearing, in its order; a kill loses at most one part. progress: of the recordings of a hearing that
    have no sequence yet.

    They are computed on the CPU in float32, and stored as `params.dtype`.

    Raises:
        BadParameters: see `thaw.features.sequences.network.refuse_unless_local`.
        BadSource: a recording is missing, or has changed since the ingestion.
        StaleFeatures: cached sequences differ from those that would be computed now.
    """
    if params.engine == "ray":
        log.info(
            "recordings are heard on this machine: a core hears hours of sound in a minute, and the cluster computes pooled features alone"
        )
    own, plain = ear_of(backbone), plain_ear(rate_of(backbone))
    reader = open_reader(backbone.preprocessing, recordings.limits)
    waves = {split: _wave(recordings.references(rows), reader) for split, rows in plan.noise.items()}
    stated = {"architecture": backbone.architecture, "engine": "torch", "precision": "float32", **made_with()}
    layers = []
    for hearing, rows in plan.rows.items():
        ear = plain if hearing.plain else own
        noise = None if hearing.snr is None or hearing.noise is None else Noise(waves[hearing.noise], hearing.snr)
        layer = _layer(ear, hearing, plan, params.dtype, backbone.preprocessing.blank())
        _bring_up_to_date(
            layer,
            recordings.references(rows),
            _Listener(ear, reader, getattr(torch, params.dtype), noise),
            store=store,
            params=params,
            stated=stated,
            progress=progress,
        )
        layers.append(layer)
    return tuple(layers)


def clear_fingerprints(backbone: Backbone) -> set[str]:
    """The fingerprints of a backbone's sequences without added noise, in each stored type."""
    return {ear_of(backbone).fingerprint(dtype, _QUIETLY) for dtype in _DTYPES}


def _layer(ear: Ear, hearing: Hearing, plan: HearingPlan, dtype: str, blank: Batch) -> SequenceLayer:
    """The place of the sequences of a hearing. The fingerprint tells what is put around a recording, and the noise in it."""
    view = _QUIETLY
    if hearing.noise is not None:
        view += f", in noise {hash_digests(row.digest for row in plan.noise[hearing.noise])} at {hearing.snr} dB"
    return SequenceLayer(
        ear.fingerprint(dtype, view),
        ear.name,
        ear.places(surrounded(mapping_of(blank)[SAMPLES])).shape[1],
        ear.span.stride / FRAMES_A_SECOND,
        ear.span.window / FRAMES_A_SECOND,
        hearing,
    )


def _wave(references: Mapping[bytes, Reference], reader: Reader) -> Tensor:
    """Recordings one after another, float32 [T]."""
    frames = [mapping_of(reader.prepare(read_ingested(*each)))[SAMPLES] for each in references.values()]
    return torch.cat([each.flatten() for each in frames])


def _bring_up_to_date(
    layer: SequenceLayer,
    references: Mapping[bytes, Reference],
    listener: _Listener,
    *,
    store: FeatureStore,
    params: ExtractParams,
    stated: dict[str, str],
    progress: Progress,
) -> None:
    mirror = Mirror(params.store) if params.store else None
    if mirror:
        mirror.pull(store, layer.stored)
    store.set_aside_damaged(layer.fingerprint, layer.stored.name)
    present = set(store.digests(layer.fingerprint, layer.stored.name).to_pylist())
    lacking = [reference for digest, reference in references.items() if digest not in present]
    if lacking or changes(store.stated(layer.stored)):
        _self_check(
            store, layer, listener, [reference for digest, reference in references.items() if digest in present]
        )
    log.info(
        "%d recordings heard %s: %d with sequences already, %d to hear",
        len(references),
        layer.hearing,
        len(references) - len(lacking),
        len(lacking),
    )
    done = 0
    for digests, heard in _parts(listener, lacking, params):
        write_sequences(store, layer, digests, heard, stated)
        done += len(digests)
        progress(done, len(lacking))
    if mirror:
        mirror.push(store, layer.stored)


def _self_check(store: FeatureStore, layer: SequenceLayer, listener: _Listener, cached: Sequence[Reference]) -> None:
    """Hear some cached recordings again; see `thaw.features.extraction.spot_check.self_check`."""
    sample = SystemRandom().sample(cached, min(HEARD_AGAIN, len(cached)))
    if sample:
        stored = read_sequences(store, layer, [digest for digest, _ in sample])
        again = [listener.hear(reference).features.float() for reference in sample]
        both = (torch.cat([each.features for each in stored]), torch.cat(again))
        worst = compare_again(store, layer.stored, *both, "float32")
        log.info("self-check: %d cached recordings heard again, largest difference %.4f sd", len(sample), worst)


def _parts(
    listener: _Listener, references: Sequence[Reference], params: ExtractParams
) -> Iterator[tuple[list[bytes], list[Heard]]]:
    digests, heard, nbytes = list[bytes](), list[Heard](), 0
    workers = params.workers or usable_cores()
    with threads(1):
        for (digest, _), each in map_ahead(listener.hear, references, workers=workers, depth=2 * workers):
            digests.append(digest)
            heard.append(each)
            nbytes += each.features.nbytes
            if nbytes >= PART_BYTES or len(digests) >= params.part_rows:
                yield digests, heard
                digests, heard, nbytes = [], [], 0
    if digests:
        yield digests, heard
