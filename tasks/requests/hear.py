"""Triggers in any recordings: `thaw predict` for models that hear triggers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.registry.deployed_model import read_triggers
from tasks.registry.registry import open_registry
from tasks.requests.score import taken
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.atomic import atomic
from thaw.kinds.kind import Limits
from thaw.models.listening.files import HeardWhole, sequence_in_content, sequence_in_file
from thaw.models.listening.trigger_model import TriggerModel
from thaw.models.prediction.answer import HeardAt
from thaw.models.prediction.trigger_predictor import TriggerPredictor
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import LocalFile
from thaw.params.values.reading import read_params

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("trigger", pa.string()),
        pa.field("at_s", pa.float64()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""A row an event; a recording without one has a row without a trigger, and its reason says why it cannot be used."""


@dataclass(frozen=True)
class HeardFile:
    """A recording with its events, or the reason why it cannot be used."""

    path: str
    events: tuple[HeardAt, ...]
    reason: str = ""

    @property
    def rows(self) -> list[dict[str, object]]:
        """The rows of `SCHEMA`."""
        found = [{"path": self.path, "trigger": each.word, "at_s": each.at_s, "reason": ""} for each in self.events]
        return found or [{"path": self.path, "trigger": None, "at_s": None, "reason": self.reason}]


def hear(sources: Sequence[str], model: str | None = None) -> Iterator[HeardFile]:
    """The events of every recording, one after another; sources: see `thaw.models.scoring.inputs`. A file of this machine may have any length.

    Raises:
        BadSource, Unreachable: a source is missing, holds nothing, or does not answer.
        RegistryError, BadArtifact: there is no such model, it is torn, or it hears no triggers.
    """
    params, inputs = read_params(), open_inputs(sources, taken())
    predictor = read_triggers(open_registry(params.registry), model)
    for entry in inputs:
        try:
            heard = heard_whole(predictor, entry, params.dataset.limits)
            yield HeardFile(entry.path, predictor.events_in(heard.features))
        except BadExample as error:
            yield HeardFile(entry.path, (), str(error))


def read_listening(model: str | None = None) -> tuple[TriggerModel, ...]:
    """The triggers of a registered model, each ready to listen to a stream; model: an MLflow model URI; None: the champion.

    Raises:
        RegistryError, Unreachable, BadArtifact: see `read_triggers`.
    """
    predictor = read_triggers(open_registry(read_params().registry), model)
    return tuple(
        TriggerModel(each.word, predictor.backbone, each.detector, each.refractory, each.promise)
        for each in predictor.head.detectors
    )


def refuse_unheard(heard: Sequence[HeardFile]) -> None:
    """Refuse recordings of which none can be used, after they were shown.

    Raises:
        BadSource: none can be used; the message has the first reason.
    """
    if heard and all(each.reason for each in heard):
        raise BadSource(f"{len(heard)} recordings given, and none can be used: `{heard[0].path}` {heard[0].reason}")


def write_heard(heard: Sequence[HeardFile], path: Path) -> None:
    """Write Parquet of `SCHEMA`, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        pq.write_table(
            pa.Table.from_pylist([row for each in heard for row in each.rows], schema=SCHEMA),
            temporary,
            compression="zstd",
        )


def heard_whole(predictor: TriggerPredictor, entry: Input, limits: Limits) -> HeardWhole:
    """The sequence of a recording.

    Raises:
        BadExample: it cannot be used.
        Unreachable: its place does not answer.
    """
    if entry.place is None:
        raise BadExample(entry.reason)
    if isinstance(entry.place, LocalFile):
        return sequence_in_file(predictor, entry.place.path)
    kind = predictor.backbone.kind
    content = entry.place.read(lambda nbytes: kind.refuse_size(nbytes, limits))
    return sequence_in_content(predictor, content, limits)
