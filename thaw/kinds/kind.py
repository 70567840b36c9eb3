"""The border of kinds: the only interface by which all other code handles examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from thaw.kinds.parts import Mark, Parts, Span

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.batches import Batch
    from thaw.kinds.veils import Veils

View = str
"""A fixed view of an example, cached like the example itself: `identity`, and the other views of the kind."""
IDENTITY: View = "identity"
Windows = Sequence[tuple[float, float]]
"""Ranges of values, each by its centre and width."""


@dataclass(frozen=True)
class Limits:
    """The largest allowed example; each kind uses its own limit. max_pixels: of an image, by its header. max_characters: of a text. max_seconds: of a sound,
    by its header."""

    max_pixels: int = 64_000_000
    max_characters: int = 1_000_000
    max_seconds: float = 600


@dataclass(frozen=True)
class Values:
    """The smallest and largest value in a file whose format does not say which range its values use. scale: the kind's name for values of that form."""

    scale: str
    low: float
    high: float


@dataclass(frozen=True)
class Stored:
    """The content of a file. format: its name ("JPEG"). shape: (height, width, channels) of an upright image; other kinds have other dimensions.

    values: their range; None: the format says it. unread: the part of the file that is not read ("all frames but one"); None: it is read whole.
    rate: samples a second of a sound; None: the kind has no rate. remarks: the kind's own words for what `Kind.decoding_of_set` speaks of.
    """

    format: str
    shape: tuple[int, ...]
    values: Values | None = None
    unread: str | None = None
    rate: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetDecoding:
    """The decoding that the files of a whole set need. setting: the kind's own text, which the manifest and every model of the set keep; None: the usual
    decoding. notes: sentences that say so. warnings: sentences on files that may be decoded wrongly."""

    setting: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """The words for examples in sentences. sample_name: a file name for shown commands. plain: the word for the input of `Kind.plain_features`. prompt: the
    usual description of an example in a text; `{label}` stands for its class."""

    one: str
    many: str
    sample_name: str
    plain: str
    prompt: str = "{label}"

    @property
    def ending(self) -> str:
        """The usual ending of files, such as `.jpg`."""
        return self.sample_name[self.sample_name.rfind(".") :]

    @property
    def article(self) -> str:
        """`one` with its article."""
        return f"{'an' if self.one[0] in 'aeiou' else 'a'} {self.one}"

    def counted(self, count: int) -> str:
        """The number and the word: "1 image", "1,797 images"."""
        return f"{count:,} {self.one if count == 1 else self.many}"


ANY = Words("example", "examples", "example.bin", "plain values")
"""The words for examples of an unknown kind."""


@dataclass(frozen=True)
class Preview:
    """The preview of an example on a page. media_type: of `content`, such as `image/png`, `audio/wav`, `text/plain`. drawing: a PNG file for an example that
    cannot be seen. marks: of the parts of a text that speak for or against an answer, in order."""

    media_type: str
    content: bytes
    drawing: bytes | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """The preparation of files for an exported graph, by a program without Thaw. note: sentences on the graph's input, in Markdown. packages: from PyPI,
    beside NumPy. imports: lines of Python. code: Python that defines `batch_of(paths)`, which returns the graph's inputs by name, as NumPy arrays; it may
    use `np`, and `card`, the content of `model.json`.
    """

    note: str
    packages: tuple[str, ...]
    imports: tuple[str, ...]
    code: str


class Readable(Protocol):
    """The place of an example's bytes, such as a path; its text names it in errors."""

    def read_bytes(self) -> bytes:
        """All bytes."""


Reference = tuple[bytes, Readable]
"""An example to be read: its digest and its place."""


class Preprocessing(Protocol):
    """The conversion of a decoded example to a backbone's input; a frozen dataclass, part of the backbone, with JSON beside its weights."""

    @property
    def kind(self) -> str:
        """The name of the kind."""

    def to_json(self) -> str:
        """Canonical JSON: the same settings give the same text. It has the key `kind`, unless that is `images`."""

    def blank(self) -> Batch:
        """A prepared blank example."""

    def nbytes(self) -> int:
        """The memory of a prepared example in bytes; a generous estimate if lengths differ."""

    def normalise(self, batch: Batch) -> Batch:
        """The network's input; the normalisation runs on the batch's device, and is exported with the network."""

    def normalise_plainly(self, batch: Batch) -> Batch:
        """The normalisation by the plainest way, against which faster ways are measured."""

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """Scale and shift of a normalisation batch x scale - shift, which engines may fuse into the network; None: it has another form."""

    def mask(self, batch: Batch) -> Tensor | None:
        """The places of the examples that are no padding, before or after the normalisation: bool [B, T]; None without padding."""

    def probe_digest(self) -> str:
        """BLAKE3, hex, of the prepared probe examples; a library update that changes numbers changes the digest, and so the fingerprint."""

    def with_decoding(self, decoding: str) -> Preprocessing:
        """The preprocessing with another way of decoding, `exact` or `scaled`.

        Raises:
            BadParameters: this kind has no such way.
        """

    def of_set(self, setting: str | None) -> Preprocessing:
        """The preprocessing with the decoding of a set; setting: of `SetDecoding`. It is part of `to_json`, unless it is None."""


@runtime_checkable
class Windowed(Protocol):
    """A preprocessing for networks that may take a limited number of places at once; a longer example is prepared in windows, one after another."""

    @property
    def window(self) -> int | None:
        """The most places of an example that is read at once; None: any number."""


@runtime_checkable
class Viewing(Protocol):
    """A preprocessing of examples whose values cover a much wider range than networks take, so that a part of it may be chosen, as radiologists do."""

    def with_windows(self, windows: Windows, frame: str | int = "first") -> Preprocessing:
        """The preprocessing with the ranges that are read: one for all channels of the network's input, or one for each; and with the frame of files that
        hold several: `first`, `middle`, or its number from 1."""


@runtime_checkable
class Showing(Protocol):
    """A kind whose previews can show examples as a `Viewing` preprocessing reads them."""

    def shown_by(self, windows: Windows, frame: str | int) -> Kind:
        """The kind with these previews; see `Viewing.with_windows`."""


@runtime_checkable
class Cutting(Protocol):
    """A kind whose examples may be pieces of longer recordings."""

    def piece(self, file: Path, start_s: float, end_s: float) -> bytes:
        """The piece from `start_s` to `end_s` seconds, as a file of the kind; at the recording's end it is shorter.

        Raises:
            OSError: the recording cannot be read.
        """


@runtime_checkable
class Attributing(Protocol):
    """A kind whose files may say themselves whom or what they are of, so that examples of one origin stay together."""

    def origin(self, content: bytes) -> str | None:
        """The origin, such as a patient's number; None: the file does not say. It may be personal: it is compared, and never written or shown."""


@runtime_checkable
class Dating(Protocol):
    """A kind whose files may say themselves of which day they are, so that splits can be in the order of time."""

    def date(self, content: bytes) -> str | None:
        """The day as text that sorts in time; None: the file does not say. It may be personal: it is compared, and never written or shown."""


@runtime_checkable
class Veiling(Protocol):
    """A kind whose prepared examples can be veiled place by place, so that it is seen where a network looks. map_words: the legend of a map."""

    @property
    def map_words(self) -> str:
        """A sentence that says what a map shows."""

    def veiled(self, example: Batch) -> Veils:
        """A prepared example with each place of a grid veiled; the same example gives the same."""

    def map_preview(self, example: Batch, strengths: NDArray[np.float64]) -> Preview:
        """A prepared example under the map of the places' strengths, float64 [rows, columns] from -1 (speaks against an answer) to 1 (for it)."""


@runtime_checkable
class Backed(Protocol):
    """A kind that says which backbone to begin with where none is named."""

    @property
    def usual_backbone(self) -> str:
        """A name of `thaw.backbones.official_weights.weights_of`."""


class Reader(Protocol):
    """A reader, which checks and prepares examples; it is safe to call from threads, which share its bound on memory."""

    @property
    def name(self) -> str:
        """The reader's name in the parts of a store: `cpu`, `gpu`."""

    def read(self, examples: Sequence[Reference], views: Sequence[View]) -> Mapping[View, Batch]:
        """The examples in each view; each is decoded once for any number of views.

        Raises:
            BadSource: an example is gone, or has changed since the ingestion.
            BadExample: an example is damaged, or larger than the limits.
        """

    def prepare(self, content: bytes) -> Batch:
        """Prepare one example from its bytes, like `read`; it is the only way from bytes to numbers.

        Raises:
            BadExample: the bytes are no example, or damaged, or larger than the limits before or after the preparation.
        """

    def exact(self) -> Reader | None:
        """The reader without short cuts that change numbers a little; None if it takes none."""

    def shortens(self, example: Reference) -> bool:
        """Whether this example is read by a short cut; raises the errors of `read`."""

    def on(self, device: torch.device) -> Reader | None:
        """Another reader, which decodes on a GPU; None if there is none."""


class Mixing(Protocol):
    """The mixing of a batch's examples with each other."""

    def __call__(self, batch: Batch, targets: Tensor) -> tuple[Batch, Tensor]:
        """Mix a batch and its targets, int64 [B]; mixed targets are float32 [B, C]."""


class Scratch(Protocol):
    """The input of a network that is trained from random weights."""

    def begin(self, batch: Batch) -> Batch:
        """Examples in the form that `changed` and `plain` take; computed once."""

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Examples after random changes, each independently, and normalised."""

    def plain(self, batch: Batch) -> Batch:
        """Unchanged examples, normalised."""


class Kind(Protocol):
    """One kind of examples: images, sounds, texts. Everything here is safe to call from threads."""

    @property
    def name(self) -> str:
        """The kind's name in `dataset.kind`."""

    @property
    def words(self) -> Words:
        """The words for examples."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types of files, the most usual first."""

    @property
    def takes_rows(self) -> bool:
        """Whether the rows of a table may be examples, by the text in one of their cells."""

    @property
    def can_be_typed(self) -> bool:
        """Whether people can type an example: any string is one, as UTF-8."""

    @property
    def can_be_recorded(self) -> bool:
        """Whether people can record an example by a microphone: a WAV file is one."""

    @property
    def shared_origin(self) -> str | None:
        """What several examples usually have in common beside their class, so that they belong into one group, such as `the speaker or the recording`; None:
        examples usually stand for themselves."""

    @property
    def views(self) -> Mapping[str, tuple[View, ...]]:
        """The views of each name in `extract.views`; `identity` is one of the names."""

    @property
    def augmentations(self) -> Mapping[str, tuple[View, ...]]:
        """The names of `finetune.augment`, and the views that each chooses from; no views if it changes examples freely. `none` is one of the names."""

    @property
    def usual_augmentation(self) -> str:
        """The augmentation of `finetune.augment: auto`."""

    def mixing(self, mixup: float, cutmix: float, classes: int) -> Mixing | None:
        """The mixing of normalised examples and their targets by `finetune.mixup` and `finetune.cutmix`; None: neither is set.

        Raises:
            BadParameters: examples of this kind cannot be mixed.
        """

    def scratch(self, preprocessing: Preprocessing) -> Scratch:
        """The changes and the normalisation of examples for the baseline `scratch`, a network that is trained from random weights."""

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """Decode a whole file, and return its format and shape.

        Raises:
            BadExample: the reason is the end of a sentence ("is empty").
        """

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """Refuse a file by its size alone, before it is read.

        Raises:
            BadExample: no example within the limits has that many bytes.
        """

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """Whether a file's ending, such as `.jpg`, fits the stored format."""

    def decoding_of_set(self, stored: Mapping[str, Stored]) -> SetDecoding:
        """The decoding of a set; stored: its files by path. It depends on all files, never on one alone, so that an example means the same in every set."""

    def of_set(self, setting: str | None) -> Kind:
        """The kind with previews by the decoding of a set; setting: of `SetDecoding`."""

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """The inverse of `Preprocessing.to_json`; unknown or missing keys raise TypeError or KeyError."""

    def reader(self, preprocessing: Preprocessing, limits: Limits, bound: MemoryBound) -> Reader:
        """The reader of examples for a backbone with that preprocessing; decoded examples take at most the memory of the bound."""

    def largest_nbytes(self, limits: Limits) -> int:
        """The memory of the largest example within the limits during its decoding, in bytes."""

    def collate(self, examples: Sequence[Batch]) -> Batch:
        """Prepared examples as one batch; shorter examples are padded."""

    def from_value(self, value: object) -> bytes:
        """The bytes of an example that is given as bytes, as a path, as a `data:` URL, or as numbers.

        Raises:
            BadExample: the value is none of these.
            OSError: the file cannot be read.
        """

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """The preview of an example on a page; small: for a page with many.

        Raises:
            BadExample: see `inspect`.
        """

    @property
    def previews_are_examples(self) -> bool:
        """Whether a preview is itself a file of this kind."""

    @property
    def part_names(self) -> str | None:
        """The word for the parts of an example that can be taken away, such as `words`; None: there are no such parts, so answers cannot be explained."""

    def parts(self, content: bytes, most: int, within: Span | None = None) -> Parts | None:
        """At most `most` parts of an example, or of one of its parts; None if the kind has no `part_names`.

        Raises:
            BadExample: see `inspect`.
        """

    @property
    def input_name(self) -> str:
        """The name of the single tensor of prepared examples in exported graphs; mappings have their own names."""

    @property
    def input_meaning(self) -> str:
        """The meaning of prepared examples, for users of an exported graph."""

    @property
    def normalisation(self) -> tuple[str, ...]:
        """The first steps of exported graphs, in words."""

    def recipe(self, preprocessing: Preprocessing) -> Recipe:
        """The preparation of files by a preprocessing, for users of an exported graph."""

    @property
    def example_value(self) -> str:
        """A small example as a `data:` URL, which `from_value` takes; it is the input example of registered models."""

    def samples(self, count: int) -> list[bytes]:
        """Files of different made-up examples, for measurements of speed without real examples."""

    def augment(self, batch: Batch, how: str) -> Batch:
        """Change each example independently, by one of `augmentations`, with torch's global generator. Raises ValueError: there is no such augmentation."""

    def viewed(self, batch: Batch, view: View) -> Batch:
        """Prepared examples in a view that an augmentation chooses from."""

    def plain_preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        """The preparation of examples for a model without a backbone; preprocessing: of the backbone that it stands beside."""

    def plain_features(self, batch: Batch) -> Tensor:
        """The features of a model without a backbone: float [B, D]; or bags int32 [B, L], the numbers of what each example holds, and -1 behind the end.

        batch: examples that were prepared and normalised by `plain_preprocessing`. A graph of `thaw export` holds the same operations.
        """
