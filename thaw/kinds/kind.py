"""The border between what an example is and everything else: all that is written once asks a kind, and no more than this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.batches import Batch

View = str
"""A fixed view of an example, cached like the example itself: `identity`, and what the kind has beside it."""
IDENTITY: View = "identity"


@dataclass(frozen=True)
class Limits:
    """What an example may be at most; each kind looks at its own. max_pixels: of an image, by its header."""

    max_pixels: int = 64_000_000


@dataclass(frozen=True)
class Stored:
    """What a file holds. format: its name ("JPEG"). shape: (height, width, channels) of an image, the upright one; other kinds have other dimensions."""

    format: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Words:
    """How sentences call an example. sample_name: a file name for commands that are shown. plain: what `Kind.plain_features` learns from."""

    one: str
    many: str
    sample_name: str
    plain: str

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


@dataclass(frozen=True)
class Preview:
    """What a page shows of an example. media_type: of `content`, such as `image/png`, `audio/wav`, `text/plain`. picture: a PNG file beside it, of what cannot
    be seen."""

    media_type: str
    content: bytes
    picture: bytes | None = None


class Readable(Protocol):
    """What an example's bytes come from, such as a path; its text names it in errors."""

    def read_bytes(self) -> bytes:
        """All of them."""


Reference = tuple[bytes, Readable]
"""An example to be read: its digest, and where it lies."""


class Preprocessing(Protocol):
    """How a decoded example becomes what a backbone takes; a frozen dataclass, part of the backbone, JSON beside its weights."""

    @property
    def kind(self) -> str:
        """The name of the kind."""

    def to_json(self) -> str:
        """Canonical JSON: the same settings give the same text. It has the key `kind`, unless that is `images`."""

    def blank(self) -> Batch:
        """An example with nothing in it, prepared."""

    def nbytes(self) -> int:
        """What a prepared example takes in memory; a generous guess where lengths differ."""

    def normalise(self, batch: Batch) -> Batch:
        """What the network itself takes; it runs where the batch lies, and is exported with the network."""

    def normalise_plainly(self, batch: Batch) -> Batch:
        """The same by the most ordinary way there is: what faster ones are measured against."""

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """What normalises a tensor, if it is no more than a product and a difference: batch x scale - shift. Then engines may fuse it into the network."""

    def mask(self, batch: Batch) -> Tensor | None:
        """Which places of the examples are no padding, before or after they are normalised: bool [B, T]; None where there is no padding."""

    def probe_digest(self) -> str:
        """BLAKE3, hex, of what it makes of fixed examples: a library update that changes numbers changes it, and so the fingerprint."""

    def with_decoding(self, decoding: str) -> Preprocessing:
        """The same with another way to decode, `exact` or `scaled`.

        Raises:
            BadParameters: this kind has no such way.
        """


class Reader(Protocol):
    """Reads, checks and prepares examples; safe to call from threads, which share its bound on memory."""

    @property
    def name(self) -> str:
        """What reads, as the parts of a store state it: `cpu`, `gpu`."""

    def read(self, examples: Sequence[Reference], views: Sequence[View]) -> Mapping[View, Batch]:
        """The examples in each view; decoded once, whatever the number of views.

        Raises:
            BadSource: an example is gone, or is not the one that was ingested.
            BadExample: one is damaged, or larger than the limits.
        """

    def prepare(self, content: bytes) -> Batch:
        """One example from its bytes, as `read` gives it: the one door from bytes to numbers.

        Raises:
            BadExample: it is none, or damaged, or larger than the limits, as it is or once it is prepared.
        """

    def exact(self) -> Reader | None:
        """The same without short cuts that change numbers a little; None where it takes none."""

    def shortens(self, example: Reference) -> bool:
        """Whether this example is read by a short cut. Raises as `read` does."""

    def on(self, device: torch.device) -> Reader | None:
        """Another reader that decodes on a GPU, within the tolerance of the network; None where there is none."""


class Mixing(Protocol):
    """Mixes the examples of a batch with each other."""

    def __call__(self, batch: Batch, targets: Tensor) -> tuple[Batch, Tensor]:
        """targets: int64 [B]; afterwards float32 [B, C]."""


class Scratch(Protocol):
    """What a network sees that is trained from random weights."""

    def begin(self, batch: Batch) -> Batch:
        """Examples as `changed` and `plain` take them; done once for all."""

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Examples changed at random, each for itself, and normalised."""

    def plain(self, batch: Batch) -> Batch:
        """Examples as they are, normalised."""


class Kind(Protocol):
    """One kind of examples: images, sounds, texts. Everything here is safe to call from threads."""

    @property
    def name(self) -> str:
        """As in `dataset.kind`."""

    @property
    def words(self) -> Words:
        """How sentences call it."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """Of files, as HTTP names them, the most usual first."""

    @property
    def views(self) -> Mapping[str, tuple[View, ...]]:
        """The views that each name in `extract.views` means; `identity` is one of the names."""

    @property
    def augmentations(self) -> Mapping[str, tuple[View, ...]]:
        """The names of `finetune.augment`, and the views that each chooses from; no views where it changes examples freely. `none` is one of the names."""

    @property
    def usual_augmentation(self) -> str:
        """What `finetune.augment: auto` means."""

    def mixing(self, mixup: float, cutmix: float, classes: int) -> Mixing | None:
        """Examples mixed with each other, with their targets, after they were normalised, as `finetune.mixup` and `finetune.cutmix` say; None: neither.

        Raises:
            BadParameters: examples of this kind cannot be mixed.
        """

    def scratch(self, preprocessing: Preprocessing) -> Scratch:
        """How examples are changed and normalised for a network that is trained from random weights: the baseline `scratch`."""

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """Decode a file whole, and say what it holds.

        Raises:
            BadExample: with a reason that continues a sentence ("is empty").
        """

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """Refuse a file by its size alone, before it is read.

        Raises:
            BadExample: nothing within the limits takes that many bytes.
        """

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """Whether a file's ending, such as `.jpg`, is one that files of this stored format go by."""

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """The inverse of `Preprocessing.to_json`; unknown or missing keys raise TypeError or KeyError."""

    def reader(self, preprocessing: Preprocessing, limits: Limits, bound: MemoryBound) -> Reader:
        """What reads examples for a backbone with that preprocessing; decoded ones take no more memory than the bound."""

    def largest_nbytes(self, limits: Limits) -> int:
        """What the largest example within the limits takes while it is decoded, in bytes."""

    def collate(self, examples: Sequence[Batch]) -> Batch:
        """Prepared examples as one batch; those that are shorter than the longest are padded."""

    def from_value(self, value: object) -> bytes:
        """The bytes of an example that is handed in as such, as a path, as a `data:` URL, or as numbers.

        Raises:
            BadExample: it is none of these.
            OSError: the file cannot be read.
        """

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """What a page shows of an example; small: for where there are many.

        Raises:
            BadExample: see `inspect`.
        """

    @property
    def previews_are_examples(self) -> bool:
        """Whether a preview is itself a file of this kind."""

    @property
    def input_name(self) -> str:
        """What the one tensor of prepared examples is called in exported graphs; mappings have names of their own."""

    @property
    def input_meaning(self) -> str:
        """What prepared examples are, for those who run an exported graph."""

    @property
    def normalisation(self) -> tuple[str, ...]:
        """What exported graphs do first, in words."""

    @property
    def example_value(self) -> str:
        """A small example as a `data:` URL, which `from_value` takes: what a registered model shows as its input."""

    def samples(self, count: int) -> list[bytes]:
        """Files with some made-up example each, no two alike: what speed is measured on where there are no others."""

    def augment(self, batch: Batch, how: str) -> Batch:
        """Change each example for itself, as one of `augmentations`; all draws come from torch's global generator. Raises ValueError: it has no such name."""

    def viewed(self, batch: Batch, view: View) -> Batch:
        """Prepared examples in a view that an augmentation chooses from."""

    def plain_features(self, batch: Batch) -> Tensor:
        """What a model without any backbone learns from: float32 [B, D]."""
