"""The parity of three ways to an answer: the head on cached features (the evaluated way), the model from files (the served way), and the exported
model."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from thaw.foundation.errors import BadExport
from thaw.foundation.files.atomic import write_text
from thaw.kinds.batches import Batch
from thaw.models.agreement import Agreement, agreement_of
from thaw.models.exporting.checking import run_all
from thaw.models.exporting.formats import Format
from thaw.models.exporting.graph import export_program
from thaw.models.exporting.torch_format import read_program, write_program
from thaw.models.prediction.answer import Answer, answer
from thaw.models.prediction.predictor import Predictor

_KEYS = {"files": "pixels"}
"""A field with another name in the file, for readers of earlier versions."""


@dataclass(frozen=True)
class Parity:
    """The agreement of the ways on `rows` examples.

    files: the model from example files against the head on cached features; None for a fine-tuned model, which has no cached features. exported: the `.pt2` of
    torch.export against the head on cached features or, without these, the model from example files; None if torch cannot export the model, and then `reason`
    says why.
    """

    rows: int
    files: Agreement | None
    exported: Agreement | None
    reason: str | None = None


def measure_parity(predictor: Predictor, examples: Sequence[Batch], features: torch.Tensor | None) -> Parity:
    """Compare the ways on N examples, N > 0, prepared from their files. features: their cached features, float32 [N, D]; None: there are none."""
    served = predictor.predict(examples)
    cached = None if features is None else answer(predictor.head, predictor.openness, features)
    against = None if cached is None else agreement_of(cached, served)
    try:
        exported = agreement_of(served if cached is None else cached, _exported(predictor, examples))
    except BadExport as error:
        return Parity(len(examples), against, None, str(error))
    return Parity(len(examples), against, exported)


def write_parity(parity: Parity, path: Path) -> None:
    """Write `parity.json`; the same numbers give the same bytes."""
    fields = {_KEYS.get(name, name): value for name, value in asdict(parity).items()}
    write_text(path, json.dumps(fields, indent=2) + "\n")


def _exported(predictor: Predictor, examples: Sequence[Batch]) -> Answer:
    """The answer of the file that `thaw export --format torch` writes."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / Format.TORCH.file
        write_program(export_program(predictor), file)
        return run_all(predictor, read_program(file), examples)
