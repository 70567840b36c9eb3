"""Sounds as a kind. The heavy libraries are imported where they are used, so that words and names cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import IDENTITY, Limits, Preview, Recipe, Scratch, SetDecoding, Stored, View, Words
from thaw.kinds.parts import Span

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.batches import Batch
    from thaw.kinds.kind import Preprocessing
    from thaw.kinds.sounds.reading import SoundReader

_WIDEST = 16_000
"""The rate of networks, in samples a second, unless one says otherwise."""


@dataclass(frozen=True)
class Sounds:
    """Spoken words, machines, birds: a mapping of `samples` and `mask` once they are prepared."""

    name: ClassVar[str] = "sounds"
    words: ClassVar[Words] = Words("sound", "sounds", "clip.wav", "MFCC and log-mel statistics")
    takes_rows: ClassVar[bool] = False
    can_be_typed: ClassVar[bool] = False
    can_be_recorded: ClassVar[bool] = True
    shared_origin: ClassVar[str | None] = "the speaker or the recording"
    media_types: ClassVar[tuple[str, ...]] = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/*")
    views: ClassVar[Mapping[str, tuple[View, ...]]] = {
        IDENTITY: (IDENTITY,),
        "speed": ("slower", "faster"),
        "noise": ("noisy",),
        "silence": ("surrounded",),
    }
    augmentations: ClassVar[Mapping[str, tuple[View, ...]]] = {
        "none": (IDENTITY,),
        "noise": (IDENTITY, "noisy"),
        "vary": (),
    }
    usual_augmentation: ClassVar[str] = "vary"
    usual_backbone: ClassVar[str] = "thaw_sounds"
    previews_are_examples: ClassVar[bool] = True
    part_names: ClassVar[str | None] = None
    input_name: ClassVar[str] = "samples"
    input_meaning: ClassVar[str] = "one channel in frames of 10 ms, and which of them are no padding"
    normalisation: ClassVar[tuple[str, ...]] = ()

    def mixing(self, mixup: float, cutmix: float, classes: int) -> None:
        """See `Kind`."""
        if mixup or cutmix:
            raise BadParameters("finetune.mixup and finetune.cutmix: sounds cannot be mixed; set both to 0")

    def scratch(self, preprocessing: Preprocessing) -> Scratch:
        """See `Kind`."""
        from thaw.kinds.sounds.scratch import VariedSounds

        return VariedSounds(preprocessing)

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """See `Kind` and `thaw.kinds.sounds.files.inspect`."""
        from thaw.kinds.sounds.files import inspect

        return inspect(content, limits)

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """See `Kind`."""
        from thaw.kinds.sounds.files import refuse_size

        refuse_size(nbytes, limits)

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """See `Kind`."""
        from thaw.kinds.sounds.files import fits_ending

        return fits_ending(stored, suffix)

    def decoding_of_set(self, stored: Mapping[str, Stored]) -> SetDecoding:
        """See `Kind` and `thaw.kinds.sounds.remarks.remarks_on_set`: every sound is decoded alone."""
        from thaw.kinds.sounds.remarks import remarks_on_set

        return remarks_on_set(stored)

    def of_set(self, setting: str | None) -> Sounds:
        """See `Kind`."""
        return self

    def piece(self, file: Path, start_s: float, end_s: float) -> bytes:
        """See `thaw.kinds.kind.Cutting` and `thaw.kinds.sounds.pieces.piece`."""
        from thaw.kinds.sounds.pieces import piece

        return piece(file, start_s, end_s)

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """See `Kind`."""
        from thaw.kinds.sounds.preprocessing import preprocessing_from_json

        return preprocessing_from_json(text)

    def reader(self, preprocessing: Preprocessing, limits: Limits, bound: MemoryBound) -> SoundReader:
        """See `Kind`."""
        from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
        from thaw.kinds.sounds.reading import SoundReader

        assert isinstance(preprocessing, WaveformPreprocessing)
        return SoundReader(preprocessing.rate, limits, bound)

    def largest_nbytes(self, limits: Limits) -> int:
        """See `Kind`."""
        return int(4 * limits.max_seconds * _WIDEST)

    def collate(self, examples: Sequence[Batch]) -> Batch:
        """See `Kind`."""
        from thaw.kinds.batches import stacked

        return stacked(examples)

    def from_value(self, value: object) -> bytes:
        """See `Kind` and `thaw.kinds.sounds.values.from_value`."""
        from thaw.kinds.sounds.values import from_value

        return from_value(value)

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """See `Kind`."""
        from thaw.kinds.sounds.preview import preview

        return preview(content, limits, small=small)

    def parts(self, content: bytes, most: int, within: Span | None = None) -> None:
        """See `Kind`; sounds have no parts."""
        return

    def recipe(self, preprocessing: Preprocessing) -> Recipe:
        """See `Kind`; one recipe reads the settings of every preprocessing."""
        from thaw.kinds.sounds.recipe import RECIPE

        return RECIPE

    @property
    def example_value(self) -> str:
        """See `Kind`."""
        from thaw.kinds.sounds.values import TINY

        return TINY

    def samples(self, count: int) -> list[bytes]:
        """See `Kind`."""
        from thaw.kinds.sounds.values import made_up

        return made_up(count)

    def augment(self, batch: Batch, how: str) -> Batch:
        """See `Kind` and `thaw.kinds.sounds.variation`."""
        import torch

        from thaw.kinds.batches import rows_in
        from thaw.kinds.sounds.variation import noisy_ones, varied

        if how == "none":
            return batch
        if how == "noise":
            return noisy_ones(batch, torch.rand(rows_in(batch)) < 0.5)
        if how == "vary":
            return varied(batch)
        raise ValueError(f"there is no augmentation {how}")

    def viewed(self, batch: Batch, view: View) -> Batch:
        """See `Kind`: with noise for `noisy`; the identity returns the sounds unchanged."""
        from thaw.kinds.sounds.variation import NOISY, noisy

        return noisy(batch) if view == NOISY else batch

    def plain_preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        """See `Kind`: 16 kHz, whatever the backbone takes."""
        from thaw.kinds.sounds.preprocessing import WaveformPreprocessing

        return WaveformPreprocessing(_WIDEST)

    def plain_features(self, batch: Batch) -> Tensor:
        """See `Kind` and `thaw.kinds.sounds.spectral.spectral_statistics`."""
        from thaw.kinds.sounds.spectral import spectral_statistics

        return spectral_statistics(batch)


KIND = Sounds()
