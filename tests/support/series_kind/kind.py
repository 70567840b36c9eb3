"""Series as a kind."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from series_kind.preprocessing import LONGEST, SeriesPreprocessing, mapping, numbers_in
from thaw.foundation.errors import BadExample, BadParameters
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.kind import (
    IDENTITY,
    Limits,
    Preprocessing,
    Preview,
    Recipe,
    Reference,
    SetDecoding,
    Stored,
    View,
    Words,
)
from thaw.kinds.parts import Span
from thaw.kinds.reading import read_ingested
from thaw.kinds.values import bytes_of, data_url

SHOWN = 12
"""Numbers in a preview."""


RECIPE = Recipe(
    "L is the length of the longest series of the batch; `mask` is false behind the end of a shorter one.",
    (),
    (),
    """\
def batch_of(paths):
    series = [np.loadtxt(path, dtype=np.float32) for path in paths]
    longest = max(len(one) for one in series)
    values = np.stack([np.pad(one, (0, longest - len(one))) for one in series])
    mask = np.stack([np.arange(longest) < len(one) for one in series])
    return {"values": values, "mask": mask}
""",
)


@dataclass(frozen=True)
class SeriesReader:
    """Safe to call from threads."""

    name: ClassVar[str] = "csv"
    preprocessing: SeriesPreprocessing

    def read(self, examples: Sequence[Reference], views: Sequence[View]) -> dict[View, Batch]:
        batch = stacked([self.prepare(read_ingested(*example)) for example in examples])
        return {view: KIND.viewed(batch, view) for view in views}

    def prepare(self, content: bytes) -> Batch:
        return self.preprocessing.prepare(content)

    def exact(self) -> None:
        return None

    def shortens(self, example: Reference) -> bool:
        return False

    def on(self, device: torch.device) -> None:
        return None


@dataclass(frozen=True)
class NoisySeries:
    """What a network sees that is trained from random weights."""

    preprocessing: SeriesPreprocessing

    def begin(self, batch: Batch) -> Batch:
        return batch

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        given = mapping(batch)
        noise = 0.05 * torch.randn(given["values"].shape, generator=generator)
        return self.plain({**given, "values": given["values"] + noise})

    def plain(self, batch: Batch) -> Batch:
        return self.preprocessing.normalise(batch)


@dataclass(frozen=True)
class Series:
    """Files of numbers, one a line: `values` float32 [B, T] and `mask` bool [B, T] once they are prepared."""

    name: ClassVar[str] = "series"
    words: ClassVar[Words] = Words("series", "series", "numbers.csv", "plain statistics")
    takes_rows: ClassVar[bool] = False
    can_be_typed: ClassVar[bool] = False
    can_be_recorded: ClassVar[bool] = False
    shared_origin: ClassVar[str | None] = None
    media_types: ClassVar[tuple[str, ...]] = ("text/csv",)
    views: ClassVar[Mapping[str, tuple[View, ...]]] = {IDENTITY: (IDENTITY,), "negated": ("negated",)}
    augmentations: ClassVar[Mapping[str, tuple[View, ...]]] = {
        "none": (IDENTITY,), "negate": (IDENTITY, "negated"), "noise": (),
    }  # fmt: skip
    usual_augmentation: ClassVar[str] = "noise"
    previews_are_examples: ClassVar[bool] = False
    part_names: ClassVar[str | None] = None
    input_name: ClassVar[str] = "values"
    input_meaning: ClassVar[str] = "numbers, and which of them are no padding"
    normalisation: ClassVar[tuple[str, ...]] = ("subtract mean", "divide by std")

    def parts(self, content: bytes, most: int, within: Span | None = None) -> None:
        return None

    def recipe(self, preprocessing: object) -> Recipe:
        return RECIPE

    def mixing(self, mixup: float, cutmix: float, classes: int) -> None:
        if mixup or cutmix:
            raise BadParameters("finetune.mixup and finetune.cutmix: series cannot be mixed; set both to 0")

    def scratch(self, preprocessing: object) -> NoisySeries:
        assert isinstance(preprocessing, SeriesPreprocessing)
        return NoisySeries(preprocessing)

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        return Stored("CSV", (len(numbers_in(content)), 1))

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        if nbytes > 40 * LONGEST:
            raise BadExample("is larger than any series")

    def fits_ending(self, stored: str, suffix: str) -> bool:
        return suffix.lower() in {".csv", ".txt"}

    def decoding_of_set(self, stored: Mapping[str, Stored]) -> SetDecoding:
        return SetDecoding()

    def of_set(self, setting: str | None) -> Series:
        return self

    def preprocessing_from_json(self, text: str) -> SeriesPreprocessing:
        import json

        values = json.loads(text)
        del values["kind"]
        return SeriesPreprocessing(**values)

    def reader(self, preprocessing: object, limits: Limits, bound: MemoryBound) -> SeriesReader:
        assert isinstance(preprocessing, SeriesPreprocessing)
        return SeriesReader(preprocessing)

    def largest_nbytes(self, limits: Limits) -> int:
        return 8 * LONGEST

    def collate(self, examples: Sequence[Batch]) -> Batch:
        return stacked(examples)

    def from_value(self, value: object) -> bytes:
        if (content := bytes_of(value)) is not None:
            return content
        if isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim == 1):
            return written([float(each) for each in value])
        raise BadExample("is no path, no bytes and no list of numbers")

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        values = numbers_in(content)
        text = " ".join(f"{value:.2f}" for value in values[:SHOWN])
        return Preview("text/plain", text.encode(), drawn(values))

    @property
    def example_value(self) -> str:
        return data_url(written([0.0, 1.0, 0.5]), "text/csv")

    def samples(self, count: int) -> list[bytes]:
        chance = np.random.default_rng(0)
        return [written(chance.normal(size=16 + number % 9).tolist()) for number in range(count)]

    def augment(self, batch: Batch, how: str) -> Batch:
        given = mapping(batch)
        if how == "none":
            return given
        if how == "negate":
            signs = 1 - 2 * torch.randint(2, (len(given["values"]), 1))
            return {**given, "values": given["values"] * signs}
        if how == "noise":
            return {**given, "values": given["values"] + 0.05 * torch.randn(given["values"].shape)}
        raise ValueError(how)

    def viewed(self, batch: Batch, view: View) -> Batch:
        given = mapping(batch)
        return {**given, "values": -given["values"]} if view == "negated" else given

    def plain_preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        return preprocessing

    def plain_features(self, batch: Batch) -> Tensor:
        """Mean, spread and mean step of what is no padding: float32 [B, 3]."""
        given = mapping(batch)
        values, mask = given["values"], given["mask"]
        count = mask.sum(1)
        mean = (values * mask).sum(1) / count
        spread = (((values - mean[:, None]) * mask).square().sum(1) / (count - 1).clamp(min=1)).sqrt()
        steps = ((values[:, 1:] - values[:, :-1]) * mask[:, 1:]).abs().sum(1) / (count - 1).clamp(min=1)
        return torch.stack([mean, spread, steps], 1)


def written(values: Sequence[float]) -> bytes:
    """A series as a file."""
    return "".join(f"{value:.4f}\n" for value in values).encode()


def drawn(values: Sequence[float]) -> bytes:
    """A grey PNG file with a dot for each number."""
    dots = np.full((24, 64), 255, np.uint8)
    given = np.asarray(values)
    low, high = given.min(), given.max()
    rows = ((high - given) / max(high - low, 1e-9) * 23).astype(int)
    dots[rows, np.arange(len(given)) * 64 // len(given)] = 0
    lines = b"".join(b"\0" + row.tobytes() for row in dots)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 64, 24, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


KIND = Series()
