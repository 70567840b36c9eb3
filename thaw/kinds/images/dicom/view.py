"""From the stored values of a grey DICOM image to what a viewer shows, by the standard (PS3.3, C.11.1 and C.11.2; PS3.4, N.2).

The order is: the modality's table or rescaling; then the table of interest (VOI LUT), else the window, else the whole range of the stored bits; then the
inversion of MONOCHROME1. All of it is computed in float64, and nothing depends on the smallest and largest value of one image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from thaw.kinds.images.dicom.header import INVERTED, Header

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Array = np.ndarray[Any, Any]
Curve = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
_MOST_BITS = 16
"""Files of more bits, and files of floats, use a small part of what their format could hold."""
_BLOCK = 2**20


@dataclass(frozen=True)
class Window:
    """A range of values, from black to white. centre and width: in the modality's units, such as Hounsfield units."""

    centre: float
    width: float
    curve: Curve = "LINEAR"

    def shown(self, values: Floats) -> Floats:
        """Values as shares of white, from 0 to 1 (C.11.2.1.2.1, C.11.2.1.3)."""
        if self.curve == "SIGMOID":
            steepness = np.clip(-4 * (values - self.centre) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(steepness)))
        exact = self.curve == "LINEAR_EXACT"
        centre, width = (self.centre, self.width) if exact else (self.centre - 0.5, self.width - 1)
        if width == 0:
            return np.asarray(values > centre, np.float64)
        return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))


@dataclass(frozen=True)
class Table:
    """A look-up table. first: the value of the first entry; values outside take the first or last entry. bits: of an entry."""

    first: int
    entries: Floats
    bits: int

    def looked_up(self, values: Floats) -> Floats:
        """The entries of values."""
        places = np.clip(np.floor(values - self.first), 0, len(self.entries) - 1).astype(np.int64)
        return self.entries[places]

    def shown(self, values: Floats) -> Floats:
        """The entries of values, as shares of white."""
        return np.asarray(np.clip(self.looked_up(values) / (2**self.bits - 1), 0.0, 1.0))


@dataclass(frozen=True)
class Rescaling:
    """slope x stored value + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    def looked_up(self, values: Floats) -> Floats:
        """The values in the modality's units."""
        return values * self.slope + self.intercept


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`."""

    low: float
    high: float

    def shown(self, values: Floats) -> Floats:
        """Values as shares of white."""
        return np.clip((values - self.low) / ((self.high - self.low) or 1.0), 0.0, 1.0)


@dataclass(frozen=True)
class View:
    """The way from stored values to shares of white. stated: what the file says of its display; None: nothing, and its values have no known range.

    windowed: whether the file names a table or a window.
    """

    modality: Table | Rescaling
    stated: Table | Window | Range | None
    inverted: bool
    windowed: bool

    def values(self, stored: Array) -> Floats:
        """Stored values in the modality's units; what is no number counts as 0."""
        return self.modality.looked_up(np.nan_to_num(stored.astype(np.float64), posinf=0.0, neginf=0.0))

    def shown(self, stored: Array, window: Window | None = None) -> Floats:
        """Stored values as shares of white: by `window`, else as stated."""
        display = window or self.stated
        assert display is not None
        shares = display.shown(self.values(stored))
        return 1.0 - shares if self.inverted else shares


def view_of(dataset: Any, header: Header, frame: int = 0, *, floats: bool) -> View:
    """The view of a frame of a data set; floats: whether its stored values are no integers."""
    parts = [*_groups(dataset, frame), dataset]
    modality = _modality(parts)
    stated = _stated(parts)
    whole = None if floats or header.bits > _MOST_BITS else _range(header, modality)
    return View(modality, stated or whole, header.colouring == INVERTED, stated is not None)


def eight_bits(shares: Floats) -> Array:
    """Shares of white as uint8."""
    return np.asarray(np.rint(shares * 255.0).astype(np.uint8))


def by_value(stored: Array, function: Callable[[Array], Array]) -> Array:
    """A function of each stored value, which is computed once for each possible value of 8 or 16 bits, else in blocks of rows."""
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        unsigned = np.dtype(f"u{stored.dtype.itemsize}")
        possible = np.arange(256**stored.dtype.itemsize, dtype=unsigned).view(stored.dtype)
        return np.asarray(function(possible)[np.ascontiguousarray(stored).view(unsigned)])
    rows = max(1, _BLOCK // stored[0].size)
    return np.concatenate([function(stored[start : start + rows]) for start in range(0, len(stored), rows)])


def _groups(dataset: Any, frame: int) -> list[Any]:
    """The parts of the header that are about a frame of an enhanced image (PS3.3, C.7.6.16)."""
    found = []
    for sequence, place in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        for group in list(dataset.get(sequence) or ())[place : place + 1]:
            for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                found += list(group.get(name) or ())[:1]
    return found


def _modality(frame: Sequence[Any]) -> Table | Rescaling:
    for part in frame:
        if part.get("ModalityLUTSequence"):
            return _table(part.ModalityLUTSequence[0])
        slope, intercept = _first(part, "RescaleSlope"), _first(part, "RescaleIntercept")
        if slope and intercept is not None:
            return Rescaling(slope, intercept)
    return Rescaling()


def _stated(frame: Sequence[Any]) -> Table | Window | None:
    for part in frame:
        if part.get("VOILUTSequence"):
            return _table(part.VOILUTSequence[0])
        centre, width = _first(part, "WindowCenter"), _first(part, "WindowWidth")
        curve = str(part.get("VOILUTFunction") or "LINEAR").strip().upper()
        if centre is None or width is None or curve not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            continue
        if width >= 1 or (width > 0 and curve != "LINEAR"):  # a window without width shows nothing
            return Window(centre, width, curve)  # type: ignore[arg-type]
    return None


def _range(header: Header, modality: Table | Rescaling) -> Range:
    if isinstance(modality, Table):
        return Range(0.0, 2.0**modality.bits - 1)
    lowest = -(2.0 ** (header.bits - 1)) if header.signed else 0.0
    ends = modality.looked_up(np.array([lowest, lowest + 2.0**header.bits - 1]))
    return Range(float(ends.min()), float(ends.max()))


def _table(item: Any) -> Table:
    count, first, bits = (int(value) for value in item.LUTDescriptor)
    kept = _entries(item, count)[: count or 2**16].astype(np.float64)
    if not len(kept) or not 1 <= bits <= _MOST_BITS:
        raise ValueError("a table without entries")
    return Table(first, kept, bits)


def _entries(item: Any, count: int) -> Array:
    data = item.LUTData
    if not isinstance(data, bytes):
        return np.atleast_1d(data)
    if len(data) == count:
        return np.frombuffer(data, np.uint8)
    return np.frombuffer(data, ">u2" if item.original_encoding[1] is False else "<u2")


def _first(part: Any, keyword: str) -> float | None:
    """The first of one or several numbers; None: there is none."""
    value = part.get(keyword)
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        number = float(next(iter(several)))
    except (StopIteration, TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
