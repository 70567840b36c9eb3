"""How a series becomes what a network takes: values and the mask of their padding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.errors import BadExample, BadParameters
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.batches import Batch

LONGEST = 4096
"""Numbers in a series."""


@dataclass(frozen=True)
class SeriesPreprocessing:
    """mean and std: of the values."""

    kind: ClassVar[str] = "series"
    mean: float = 0.0
    std: float = 1.0

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, **asdict(self)}, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`values` float32 [T], and `mask` bool [T]."""
        values = torch.tensor(numbers_in(content))
        return {"values": values, "mask": torch.ones(len(values), dtype=torch.bool)}

    def blank(self) -> dict[str, Tensor]:
        return {"values": torch.zeros(8), "mask": torch.ones(8, dtype=torch.bool)}

    def nbytes(self) -> int:
        return 5 * LONGEST

    def normalise(self, batch: Batch) -> dict[str, Tensor]:
        given = mapping(batch)
        return {"values": (given["values"] - self.mean) / self.std * given["mask"], "mask": given["mask"]}

    def normalise_plainly(self, batch: Batch) -> dict[str, Tensor]:
        return self.normalise(batch)

    def scale_and_shift(self) -> None:
        return None

    def mask(self, batch: Batch) -> Tensor:
        return mapping(batch)["mask"]

    def probe_digest(self) -> str:
        return digest_bytes(self.prepare(b"1\n2.5\n-3\n")["values"].numpy().tobytes()).hex()

    def with_decoding(self, decoding: str) -> SeriesPreprocessing:
        if decoding != "exact":
            raise BadParameters(f"backbone.decoding: {decoding} given, and series are always read exactly")
        return self

    def of_set(self, setting: str | None) -> SeriesPreprocessing:
        return self


def mapping(batch: Batch) -> Mapping[str, Tensor]:
    assert not isinstance(batch, Tensor)
    return batch


def numbers_in(content: bytes) -> list[float]:
    """One number a line.

    Raises:
        BadExample: there is none, or too many, or something else.
    """
    if not content:
        raise BadExample("is empty")
    try:
        values = [float(line) for line in content.decode("utf-8").split()]
    except ValueError as error:
        raise BadExample("holds more than numbers, one a line") from error
    if not 2 <= len(values) <= LONGEST:
        raise BadExample(f"has {len(values)} numbers; a series has 2 to {LONGEST}")
    if not torch.tensor(values).isfinite().all():
        raise BadExample("holds numbers that are not finite")
    return values
