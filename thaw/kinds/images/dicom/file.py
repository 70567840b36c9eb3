"""A DICOM file as an opened image of Pillow: its header is read when it is opened, and its pixels when it is loaded."""

import io
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageFile

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.header import PALETTE, Header, header_of
from thaw.kinds.images.dicom.pixels import colours_of, greys_of
from thaw.kinds.images.dicom.reading import damaged, read_elements
from thaw.kinds.images.dicom.view import Array, View, Window, by_value, eight_bits, view_of

_Result = TypeVar("_Result")
FORMAT = "DICOM"
_PANIC = "PanicException"
"""The error of a decoder that is written in Rust; it is no `Exception`."""


class DicomFile(ImageFile.ImageFile):
    """A frame of a DICOM file: the first, unless `seek` goes to another before it is loaded.

    A loaded file is `RGB`; or `L`, as a viewer shows it; or `F`, if it holds more than 16 bits or floats, and does not say how they are shown.
    """

    format = FORMAT
    format_description = "Digital Imaging and Communications in Medicine"

    def __init__(self, content: bytes, most_inflated: int) -> None:
        """Read the header. most_inflated: bytes of a deflated file, which is not loaded if it takes more memory.

        Raises:
            BadExample: there is no image, or one that is not read, or the file is damaged.
        """
        self._content, self._most_inflated = content, most_inflated
        self._greys: tuple[Array, View] | None = None
        self._frame = 0
        super().__init__(io.BytesIO())

    def _open(self) -> None:
        self.header: Header = _unless_damaged(
            lambda: header_of(read_elements(self._content, self._most_inflated, pixels=False))
        )
        self._size = (self.header.width, self.header.height)
        self._mode = ("F" if self.is_deep else "L") if self.header.is_grey else self._colours
        self.n_frames = self.header.frames

    @property
    def _colours(self) -> str:
        return "P" if self.header.colouring == PALETTE else "RGB"

    @property
    def is_deep(self) -> bool:
        """Whether the file holds greys of more than 8 bits."""
        return self.header.is_grey and self.header.bits > 8

    def seek(self, frame: int) -> None:
        """Go to a frame, from 0, of a file that is not loaded yet. Raises EOFError: there are fewer."""
        if not 0 <= frame < self.n_frames:
            raise EOFError("no more frames")
        self._frame = frame

    def tell(self) -> int:
        """The place of the frame."""
        return self._frame

    def load(self) -> Any:
        """Decode the frame.

        Raises:
            BadExample: the pixels are truncated or damaged.
        """
        if self._im is None:
            image = Image.fromarray(_unless_damaged(self._decoded))
            self.im, self._mode = image.im, image.mode
        return Image.Image.load(self)

    @property
    def used_range(self) -> tuple[float, float] | None:
        """The darkest and lightest grey of a loaded file, as shares of white, if all values that its bits could hold decide how it is shown; None: a table or a
        window decides, or the file is of another form."""
        if self._greys is None or self._greys[1].windowed or self._greys[1].stated is None:
            return None
        stored, view = self._greys
        darkest, lightest = np.sort(view.shown(np.array([stored.min(), stored.max()])))
        return float(darkest), float(lightest)

    def windowed(self, window: Window) -> Array:
        """The greys of a loaded file by a window, uint8 [H, W]; those of MONOCHROME1 are inverted after it."""
        assert self._greys is not None
        stored, view = self._greys
        return by_value(stored, lambda values: eight_bits(view.shown(values, window)))

    def _decoded(self) -> Array:
        dataset = read_elements(self._content, self._most_inflated, pixels=True)
        if not self.header.is_grey:
            return colours_of(dataset, self.header, self._frame)
        stored = greys_of(dataset, self.header, self._frame)
        view = view_of(dataset, self.header, self._frame, floats=stored.dtype.kind == "f")
        self._greys = (stored, view)
        if view.stated is not None:
            return by_value(stored, lambda values: eight_bits(view.shown(values)))
        sign = np.float32(-1 if view.inverted else 1)
        return by_value(stored, lambda values: sign * view.values(values).astype(np.float32))


def _unless_damaged(read: Callable[[], _Result]) -> _Result:
    """The result of `read`; the errors of the libraries become reasons that quote nothing of the file."""
    try:
        return read()
    except (BadExample, MemoryError):
        raise
    except Exception as error:
        raise damaged(error) from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise damaged(error) from None
