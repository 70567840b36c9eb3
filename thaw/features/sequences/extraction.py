"""The extraction of sequences: a frozen pass over each recording that has none yet, a piece of it at a time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places
from thaw.features.sequences.network import refuse_unless_local
from thaw.features.sequences.recordings import end_in, frames_in, sequence_of
from thaw.features.sequences.store import Heard, write_sequences
from thaw.features.sequences.surroundings import BEFORE, BEHIND
from thaw.features.store.environment import made_with
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, SequenceLayer
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.kind import Limits, Reader, Reference
from thaw.kinds.prepared import open_reader
from thaw.kinds.reading import read_ingested
from thaw.kinds.sounds.framed import FRAMES_A_SECOND
from thaw.params.sections import ExtractParams

log = logging.getLogger(__name__)

PART_BYTES = 2**25
"""About the size of a part: some two hours of sound at 96 numbers each 80 ms."""


def sequence_layer(backbone: Backbone, span: Span, dtype: str) -> SequenceLayer:
    """The place of the sequences of a backbone's last layer; span: see `refuse_unless_local`.

    The fingerprint also tells what is put around a recording.
    """
    name = backbone.layers[-1]
    dim = sequence_of(backbone, span, backbone.preprocessing.blank()).shape[1]
    around = f"in {BEFORE} and {BEHIND} frames of quiet"
    return SequenceLayer(
        backbone.fingerprint("float32", dtype, view=around),
        name,
        dim,
        span.stride / FRAMES_A_SECOND,
        span.window / FRAMES_A_SECOND,
    )


@dataclass(frozen=True)
class _Listener:
    """The hearing of one recording."""

    backbone: Backbone
    span: Span
    reader: Reader
    dtype: torch.dtype

    def hear(self, reference: Reference) -> Heard:
        """The sequence of a recording in the stored type.

        Raises:
            BadSource: the recording is gone, or has changed since the ingestion.
            BadParameters: its features are not finite.
        """
        example = self.reader.prepare(read_ingested(*reference))
        features = sequence_of(self.backbone, self.span, example).to(self.dtype)
        if not features.isfinite().all():
            raise BadParameters(
                f"{reference[1]}: its features are not finite numbers; set extract.dtype=float32, or check the backbone's weights"
            )
        return Heard(features, frames_in(example), end_in(example, self.span))


def extract_sequences(
    manifest: Manifest,
    places: Places,
    backbone: Backbone,
    store: FeatureStore,
    params: ExtractParams,
    *,
    limits: Limits,
    progress: Progress = untold,
) -> SequenceLayer:
    """Bring the sequences of the manifest's recordings up to date; a kill loses at most one part.

    They are computed on the CPU in float32, and stored as `params.dtype`.

    Raises:
        BadParameters: see `thaw.features.sequences.network.refuse_unless_local`.
        BadSource: a recording is missing, or has changed since the ingestion.
    """
    span = refuse_unless_local(backbone)
    layer = sequence_layer(backbone, span, params.dtype)
    mirror = Mirror(params.store) if params.store else None
    if mirror:
        mirror.pull(store, layer.stored)
    store.set_aside_damaged(layer.fingerprint, layer.stored.name)
    present = set(store.digests(layer.fingerprint, layer.stored.name).to_pylist())
    paths = dict(zip(manifest.digests, manifest.table["path"].to_pylist(), strict=True))
    lacking = [(digest, places.at(path)) for digest, path in paths.items() if digest not in present]
    log.info(
        "%d recordings: %d with sequences already, %d to hear", len(paths), len(paths) - len(lacking), len(lacking)
    )
    listener = _Listener(backbone, span, open_reader(backbone.preprocessing, limits), getattr(torch, params.dtype))
    stated = {"architecture": backbone.architecture, "engine": "torch", "precision": "float32", **made_with()}
    done = 0
    for digests, heard in _parts(listener, lacking, params):
        write_sequences(store, layer, digests, heard, stated)
        done += len(digests)
        progress(done, len(lacking))
    if mirror:
        mirror.push(store, layer.stored)
    return layer


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
