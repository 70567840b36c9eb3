"""Texts as a kind. The heavy libraries are imported where they are used, so that words and names cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import IDENTITY, Limits, Preview, Recipe, Scratch, SetDecoding, Stored, View, Words
from thaw.kinds.parts import Parts, Span

if TYPE_CHECKING:
    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.batches import Batch
    from thaw.kinds.kind import Preprocessing
    from thaw.kinds.texts.reading import TextReader


@dataclass(frozen=True)
class Texts:
    """Sentences, messages and documents: a mapping of `tokens` and `mask` once they are prepared."""

    name: ClassVar[str] = "texts"
    words: ClassVar[Words] = Words("text", "texts", "note.txt", "TF-IDF of words and pairs")
    takes_rows: ClassVar[bool] = True
    can_be_typed: ClassVar[bool] = True
    can_be_recorded: ClassVar[bool] = False
    shared_origin: ClassVar[str | None] = None
    media_types: ClassVar[tuple[str, ...]] = ("text/plain",)
    views: ClassVar[Mapping[str, tuple[View, ...]]] = {IDENTITY: (IDENTITY,)}
    augmentations: ClassVar[Mapping[str, tuple[View, ...]]] = {"none": (IDENTITY,), "hide": ()}
    usual_augmentation: ClassVar[str] = "hide"
    usual_backbone: ClassVar[str] = "thaw_words"
    previews_are_examples: ClassVar[bool] = True
    part_names: ClassVar[str | None] = "words"
    input_name: ClassVar[str] = "tokens"
    input_meaning: ClassVar[str] = "the numbers of the words or of their pieces, and which of them are no padding"
    normalisation: ClassVar[tuple[str, ...]] = ()

    def mixing(self, mixup: float, cutmix: float, classes: int) -> None:
        """See `Kind`."""
        if mixup or cutmix:
            raise BadParameters("finetune.mixup and finetune.cutmix: texts cannot be mixed; set both to 0")

    def scratch(self, preprocessing: Preprocessing) -> Scratch:
        """See `Kind`."""
        from thaw.kinds.texts.scratch import HiddenWords

        return HiddenWords()

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """See `Kind`."""
        from thaw.kinds.texts.files import inspect

        return inspect(content, limits)

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """See `Kind`."""
        from thaw.kinds.texts.files import refuse_size

        refuse_size(nbytes, limits)

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """See `Kind`; texts have any ending."""
        return True

    def decoding_of_set(self, stored: Mapping[str, Stored]) -> SetDecoding:
        """See `Kind`."""
        return SetDecoding()

    def of_set(self, setting: str | None) -> Texts:
        """See `Kind`."""
        return self

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """See `Kind`."""
        from thaw.kinds.texts.forms import preprocessing_from_json

        return preprocessing_from_json(text)

    def reader(self, preprocessing: Preprocessing, limits: Limits, bound: MemoryBound) -> TextReader:
        """See `Kind`."""
        from thaw.kinds.texts.reading import Preparing, TextReader

        assert isinstance(preprocessing, Preparing)
        return TextReader(preprocessing, limits)

    def largest_nbytes(self, limits: Limits) -> int:
        """See `Kind`."""
        return 16 * limits.max_characters

    def collate(self, examples: Sequence[Batch]) -> Batch:
        """See `Kind`."""
        from thaw.kinds.batches import stacked

        return stacked(examples)

    def from_value(self, value: object) -> bytes:
        """See `Kind` and `thaw.kinds.texts.values.from_value`: a string is the text itself."""
        from thaw.kinds.texts.values import from_value

        return from_value(value)

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """See `Kind`."""
        from thaw.kinds.texts.preview import preview

        return preview(content, limits, small=small)

    def parts(self, content: bytes, most: int, within: Span | None = None) -> Parts:
        """See `Kind` and `thaw.kinds.texts.parts.parts_of`."""
        from thaw.kinds.texts.parts import parts_of

        return parts_of(content, most, within)

    def recipe(self, preprocessing: Preprocessing) -> Recipe:
        """See `Kind`."""
        from thaw.kinds.texts.recipe import recipe_of

        return recipe_of(preprocessing)

    @property
    def example_value(self) -> str:
        """See `Kind`."""
        from thaw.kinds.texts.values import TINY

        return TINY

    def samples(self, count: int) -> list[bytes]:
        """See `Kind`."""
        from thaw.kinds.texts.values import made_up

        return made_up(count)

    def augment(self, batch: Batch, how: str) -> Batch:
        """See `Kind`: `hide` hides a tenth of the words."""
        from thaw.kinds.texts.padded import hidden
        from thaw.kinds.texts.scratch import HIDDEN

        if how == "none":
            return batch
        if how == "hide":
            return hidden(batch, HIDDEN)
        raise ValueError(f"there is no augmentation {how}")

    def viewed(self, batch: Batch, view: View) -> Batch:
        """See `Kind`; there is only the identity."""
        return batch

    def plain_preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        """See `Kind`: whole words in lower case, whatever the backbone reads."""
        from thaw.kinds.texts.word_preprocessing import WordPreprocessing

        return WordPreprocessing()

    def plain_features(self, batch: Batch) -> Tensor:
        """See `Kind` and `thaw.kinds.texts.bags.word_bags`."""
        from thaw.kinds.texts.bags import word_bags

        return word_bags(batch)


KIND = Texts()
