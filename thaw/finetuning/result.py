"""A fine-tuned model, and how it lies on disk: the whole predictor, its training's course, and a record; the record alone where nothing was thawed."""

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from thaw.foundation.files.atomic import write_text
from thaw.foundation.files.records import read_record, write_record

if TYPE_CHECKING:
    from thaw.models.predictor import Predictor  # seconds; whoever writes that nothing was thawed does without

RECORD = "finetuned.json"
HISTORY = "history.csv"
COLUMNS = ("epoch", "train_loss", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to; number 0 is the start. val: of held-out images, None where there are none; the loss is weighted by class."""

    number: int
    train_loss: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class FineTuned:
    """A fine-tuned model. thawed: how many blocks were trained. epochs: for how many epochs, 0: nothing helped, and it is as it was.

    history: what each epoch came to while their number was chosen.
    """

    predictor: "Predictor"
    thawed: int
    epochs: int
    history: tuple[Epoch, ...]


@dataclass(frozen=True)
class Record:
    """blocks: how many were trained, 0: the backbone stayed frozen. epochs: after how many."""

    blocks: int
    epochs: int


_ADAPTER = TypeAdapter(Record)


def write_frozen(folder: Path) -> None:
    """Write that nothing was thawed."""
    _clear(folder)
    _write_record(Record(0, 0), folder)


def write_finetuned(model: FineTuned, folder: Path) -> None:
    """Write the model, the history of its training, and last the record, which says that all is there."""
    _clear(folder)
    model.predictor.write(folder)
    write_text(folder / HISTORY, _table(model.history))
    _write_record(Record(model.thawed, model.epochs), folder)


def read_finetuned(folder: Path) -> "Predictor | None":
    """The fine-tuned model; None where the backbone stayed frozen.

    Raises:
        BadArtifact: a file is missing or torn.
    """
    path = folder / RECORD
    record = read_record(
        _ADAPTER,
        path,
        lambda error: f"{path} cannot be read ({error}); run `thaw run --stage finetune` to make it again",
    )
    if not record.blocks:
        return None
    from thaw.models.predictor import Predictor

    return Predictor.read(folder)


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _write_record(record: Record, folder: Path) -> None:
    write_record(_ADAPTER, record, folder / RECORD)


def _table(history: Sequence[Epoch]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for epoch in history:
        row = (epoch.number, epoch.train_loss, epoch.val_loss, epoch.val_accuracy)
        table.writerow("" if value is None else value for value in row)
    return text.getvalue()
