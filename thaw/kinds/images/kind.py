"""Images as a kind. The heavy libraries are imported where they are used, so that words and names cost nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from thaw.kinds.kind import IDENTITY, Limits, Mixing, Preview, Recipe, Scratch, SetDecoding, Stored, View, Words
from thaw.kinds.parts import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.batches import Batch
    from thaw.kinds.images.preprocessing import Preprocessing
    from thaw.kinds.images.reading import PixelSource
    from thaw.kinds.kind import Preprocessing as AnyPreprocessing
    from thaw.kinds.kind import Windows
    from thaw.kinds.veils import Veils


CORNERS: tuple[View, ...] = ("top_left", "top_right", "bottom_left", "bottom_right")
_MOST_BYTES = 9
"""Bytes a pixel of the largest decoded images, which are colours in DICOM files."""


@dataclass(frozen=True)
class Images:
    """Photographs, drawings and scans: uint8 [3, H, W] once they are prepared."""

    name: ClassVar[str] = "images"
    words: ClassVar[Words] = Words("image", "images", "photo.jpg", "raw pixels", "a photo of a {label}.")
    takes_rows: ClassVar[bool] = False
    can_be_typed: ClassVar[bool] = False
    can_be_recorded: ClassVar[bool] = False
    shared_origin: ClassVar[str | None] = None
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp", "application/dicom", "image/*")
    views: ClassVar[Mapping[str, tuple[View, ...]]] = {
        IDENTITY: (IDENTITY,),
        "hflip": ("hflip",),
        "five_crop": (IDENTITY, *CORNERS),  # its centre is the identity, and not computed twice
    }
    augmentations: ClassVar[Mapping[str, tuple[View, ...]]] = {
        "none": (IDENTITY,),
        "flip": (IDENTITY, "hflip"),
        "crop": (),
        "distort": (),
        "randaugment": (),
    }

    input_name: ClassVar[str] = "pixels"
    input_meaning: ClassVar[str] = "RGB, resized and cropped"
    normalisation: ClassVar[tuple[str, ...]] = ("scale to 0..1", "subtract mean", "divide by std")
    previews_are_examples: ClassVar[bool] = True
    part_names: ClassVar[str | None] = None
    usual_augmentation: ClassVar[str] = "flip"
    usual_backbone: ClassVar[str] = "resnet50"
    map_words: ClassVar[str] = (
        "Orange places speak for the class, blue ones against it; the stronger the colour, the further the log-odds of the class fall or rise when the place "
        "is blurred. The image is what the network saw: resized, cropped, and here without colours. A map says where the model looked, and not whether that "
        "is a good reason."
    )
    setting: str | None = None
    """The decoding of the set that previews follow; None: the usual one."""

    def mixing(self, mixup: float, cutmix: float, classes: int) -> Mixing | None:
        """See `Kind` and `thaw.kinds.images.augmentation.build_mixing`."""
        from thaw.kinds.images.augmentation import build_mixing

        return build_mixing(mixup, cutmix, classes)

    def scratch(self, preprocessing: AnyPreprocessing) -> Scratch:
        """See `thaw.kinds.images.scratch`."""
        from thaw.kinds.images.preprocessing import Preprocessing
        from thaw.kinds.images.scratch import DistortedImages

        assert isinstance(preprocessing, Preprocessing)
        return DistortedImages(preprocessing.mean, preprocessing.std)

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """See `Kind` and `thaw.kinds.images.files.inspect`."""
        from thaw.kinds.images.files import inspect

        return inspect(content, limits.max_pixels)

    def origin(self, content: bytes) -> str | None:
        """See `Attributing`: the patient of a DICOM file."""
        from thaw.kinds.images.dicom.stated import patient_of

        return patient_of(content)

    def date(self, content: bytes) -> str | None:
        """See `Dating`: the study date of a DICOM file."""
        from thaw.kinds.images.dicom.stated import study_date_of

        return study_date_of(content)

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """See `Kind`."""
        from thaw.kinds.images.files import refuse_size

        refuse_size(nbytes, limits.max_pixels)

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """See `Kind`."""
        from thaw.kinds.images.files import fits_ending

        return fits_ending(stored, suffix)

    def decoding_of_set(self, stored: Mapping[str, Stored]) -> SetDecoding:
        """See `Kind` and `thaw.kinds.images.greys`: the ranges of greys of more than 8 bits."""
        from thaw.kinds.images.greys import decoding_of_set

        return decoding_of_set(stored)

    def of_set(self, setting: str | None) -> Images:
        """See `Kind`."""
        return Images(setting)

    def shown_by(self, windows: Windows, frame: str | int) -> Images:
        """See `Showing`."""
        from thaw.kinds.images.greys import fields_of, greys_from

        return Images(json.dumps(fields_of(replace(greys_from(self.setting), windows=tuple(windows), frame=frame))))

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """See `Kind`."""
        from thaw.kinds.images.preprocessing import preprocessing_from_json

        return preprocessing_from_json(text)

    def reader(self, preprocessing: AnyPreprocessing, limits: Limits, bound: MemoryBound) -> PixelSource:
        """See `Kind`."""
        from thaw.kinds.images.preprocessing import Preprocessing
        from thaw.kinds.images.reading import PixelSource

        assert isinstance(preprocessing, Preprocessing)
        return PixelSource(preprocessing, limits.max_pixels, bound)

    def largest_nbytes(self, limits: Limits) -> int:
        """See `Kind`."""
        return _MOST_BYTES * limits.max_pixels

    def collate(self, examples: Sequence[Batch]) -> Batch:
        """Images uint8 [3, H, W] as a batch uint8 [B, 3, H, W]."""
        from thaw.kinds.batches import stacked

        return stacked(examples)

    def from_value(self, value: object) -> bytes:
        """See `Kind`: paths, bytes, `data:` URLs, and arrays uint8 [H, W], [H, W, 1] or [H, W, 3], or of other integers from 0 to 255."""
        from thaw.kinds.images.values import from_value

        return from_value(value)

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """See `Kind`."""
        from thaw.kinds.images.greys import greys_from
        from thaw.kinds.images.preview import preview

        return preview(content, limits.max_pixels, small=small, greys=greys_from(self.setting))

    def parts(self, content: bytes, most: int, within: Span | None = None) -> None:
        """See `Kind`; images have no parts."""
        return

    def veiled(self, example: Batch) -> Veils:
        """See `thaw.kinds.images.veils`."""
        from thaw.kinds.batches import tensor_of
        from thaw.kinds.images.veils import veiled

        return veiled(tensor_of(example))

    def map_preview(self, example: Batch, strengths: NDArray[np.float64]) -> Preview:
        """See `thaw.kinds.images.veils`."""
        from thaw.kinds.batches import tensor_of
        from thaw.kinds.images.veils import map_preview

        return map_preview(tensor_of(example), strengths)

    def recipe(self, preprocessing: Preprocessing) -> Recipe:
        """See `Kind`; one recipe reads the settings of every preprocessing."""
        from thaw.kinds.images.recipe import RECIPE

        return RECIPE

    @property
    def example_value(self) -> str:
        """See `Kind`."""
        from thaw.kinds.images.values import TINY

        return TINY

    def samples(self, count: int) -> list[bytes]:
        """See `Kind`: noise, from even grey to all tones."""
        from thaw.kinds.images.values import noise_files

        return noise_files(count)

    def augment(self, batch: Batch, how: str) -> Tensor:
        """See `Kind` and `thaw.kinds.images.augmentation.augment`."""
        from thaw.kinds.batches import tensor_of
        from thaw.kinds.images.augmentation import augment

        return augment(tensor_of(batch), how)

    def viewed(self, batch: Batch, view: View) -> Tensor:
        """Mirrored images for `hflip`; other views return the images unchanged."""
        from thaw.kinds.batches import tensor_of

        return tensor_of(batch).flip(-1) if view == "hflip" else tensor_of(batch)

    def plain_preprocessing(self, preprocessing: AnyPreprocessing) -> AnyPreprocessing:
        """See `Kind`: that of the backbone."""
        return preprocessing

    def plain_features(self, batch: Batch) -> Tensor:
        """Raw pixels; see `thaw.kinds.images.pixels.flat_pixels`."""
        from thaw.kinds.batches import tensor_of
        from thaw.kinds.images.pixels import flat_pixels

        return flat_pixels(tensor_of(batch))


KIND = Images()
