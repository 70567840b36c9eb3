"""A model with a network of its own and its files: the whole predictor, the history of a fine-tuning, and a record; only the record if the backbone stays
frozen."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from thaw.foundation.files.atomic import replaced_folder, write_text
from thaw.foundation.files.records import read_record, write_record

if TYPE_CHECKING:
    from thaw.models.prediction.predictor import (
        Predictor,  # the import takes seconds, and the record of a frozen backbone does not need it
    )

RECORD = "finetuned.json"
HISTORY = "history.csv"
COLUMNS = ("epoch", "train_loss", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Epoch:
    """The result of an epoch; number 0 is the start. val: of held-out examples; None without them. The loss is weighted by class."""

    number: int
    train_loss: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class FineTuned:
    """A fine-tuned model. thawed: number of trained blocks. epochs: their number; 0: no epoch helped, and the model is unchanged.

    history: the result of each epoch in the choice of their number.
    """

    predictor: "Predictor"
    thawed: int
    epochs: int
    history: tuple[Epoch, ...]


@dataclass(frozen=True)
class Record:
    """The record. blocks: number of trained blocks. epochs: number of epochs. plain: whether the model has no backbone; then no block was trained.

    Without trained blocks and without a plain model the backbone stayed frozen.
    """

    blocks: int
    epochs: int
    plain: bool = False


_ADAPTER = TypeAdapter(Record)


def write_frozen(folder: Path) -> None:
    """Write the record of a backbone that stayed frozen; it takes the place of what the folder held."""
    with replaced_folder(folder) as fresh:
        _write_record(Record(0, 0), fresh)


def write_finetuned(model: FineTuned, folder: Path) -> None:
    """Write the model, the history of its training and the record; the whole takes the place of what the folder held."""
    with replaced_folder(folder) as fresh:
        model.predictor.write(fresh)
        write_text(fresh / HISTORY, _table(model.history))
        _write_record(Record(model.thawed, model.epochs), fresh)


def write_plain(predictor: "Predictor", folder: Path) -> None:
    """Write a model without a backbone and the record; the whole takes the place of what the folder held."""
    with replaced_folder(folder) as fresh:
        predictor.write(fresh)
        _write_record(Record(0, 0, plain=True), fresh)


def read_finetuned(folder: Path) -> "Predictor | None":
    """The fine-tuned model, or the model without a backbone; None if the backbone stayed frozen.

    Raises:
        BadArtifact: a file is missing or torn.
    """
    path = folder / RECORD
    record = read_record(
        _ADAPTER,
        path,
        lambda error: f"{path} cannot be read ({error}); run `thaw run --stage finetune` to make it again",
    )
    if not record.blocks and not record.plain:
        return None
    from thaw.models.prediction.predictor import Predictor

    return Predictor.read(folder)


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
