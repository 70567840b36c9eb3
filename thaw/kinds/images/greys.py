"""Greys of more than 8 bits: the range of a whole set, by which each of its images is scaled to 8 bits.

A file of 16 bits does not say how many of them its camera or scanner used. Values of 12 bits, scaled by the range of 16, would come out nearly black.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile

from thaw.kinds.images.dicom.file import DicomFile
from thaw.kinds.images.dicom.view import Array, Window, by_value
from thaw.kinds.images.dicom.view import eight_bits as in_eight_bits
from thaw.kinds.kind import SetDecoding, Stored, Values

SIXTEEN, OPEN, COLOUR = "greys of 16 bits", "greys of 32 bits", "colours of 16 bits"
"""The scales of values: integers of 16 bits; integers of 32 bits and floats; colours, and greys with transparency, of which the upper 8 bits are read."""
UNSTATED = "greys without a window"
"""The scale of DICOM files that do not say how they are shown; their values are shares of what their bits could hold."""
FULL = 65535
_DEPTHS = (8, 10, 12, 14)
"""Bits of cameras and scanners that store their values in files of 16 bits."""
_USUAL = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_USUAL_OF_ONE = (1.0, 255.0, 65535.0)
_FLAT = 1 / 8
"""There is a warning on files without a window that use at most this share of what their bits could hold."""
_FEW, _DARK = 0.1, 8
"""There is a warning if at most this share of the files has such large values that the others come out darker by this factor."""

_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Greys:
    """The ranges of a set. top: the value of white in files of 16 bits. span: black and white in files of 32 bits, integers or floats; None: the smallest usual
    range that holds the values of the single image. windows: the centre and the width of what is shown, one for all channels or one for each; they take the
    place of both ranges, and of what DICOM files state. frame: of files with several: `first`, `middle`, or its number from 1."""

    top: int = FULL
    span: tuple[float, float] | None = None
    windows: tuple[tuple[float, float], ...] = ()
    frame: str | int = "first"

    def place_of(self, frames: int) -> int:
        """The place of the frame that is read, from 0, of so many; the last one where there are fewer."""
        if self.frame == "middle":
            return frames // 2
        return min(self.frame, frames) - 1 if isinstance(self.frame, int) else 0


USUAL = Greys()


def values_of(image: Image.Image, *, deep_colours: bool) -> Values | None:
    """The smallest and largest value of a loaded image of more than 8 bits; None for other images. deep_colours: see `has_deep_colours`."""
    if deep_colours:
        return Values(COLOUR, 0.0, 257.0 * max(high for _, high in _extrema(image)))
    if isinstance(image, DicomFile) and (used := image.used_range) is not None:
        return Values(UNSTATED, *used)
    scale = _scale(image)
    if scale is None:
        return None
    return Values(scale, *_extremes(np.asarray(image)))


def eight_bits(image: Image.Image, greys: Greys) -> Image.Image | None:
    """A loaded image of deep greys as RGB; None for other images. Values beyond the range come out black or white."""
    if (
        greys.windows
        and (windowed := _windowed(image, [Window(*window, "LINEAR_EXACT") for window in greys.windows])) is not None
    ):
        return windowed
    scale = _scale(image)
    if scale is None:
        return None
    stored = np.asarray(image)
    low, high = (0.0, float(greys.top)) if scale == SIXTEEN else greys.span or _span_of_one(*_extremes(stored))
    return Image.fromarray(by_value(stored, lambda values: _scaled(values, low, high)), "L").convert("RGB")


def greys_from(decoding: str | None) -> Greys:
    """The ranges in the text of `decoding_of_set`."""
    return USUAL if decoding is None else greys_from_fields(json.loads(decoding))


def greys_from_fields(fields: Mapping[str, object]) -> Greys:
    """The ranges from their JSON."""
    span = fields.get("span")
    top = fields.get("top", FULL)
    windows = fields.get("windows", [])
    frame = fields.get("frame", "first")
    assert isinstance(top, int) and isinstance(windows, list) and isinstance(frame, str | int)
    return Greys(
        top,
        (float(span[0]), float(span[1])) if isinstance(span, list) else None,
        tuple((float(centre), float(width)) for centre, width in windows),
        frame,
    )


def fields_of(greys: Greys) -> dict[str, object]:
    """The JSON of ranges; windows are left out if there are none, and the first frame too, as they were before there was a choice."""
    windows = {"windows": greys.windows} if greys.windows else {}
    frame = {} if greys.frame == "first" else {"frame": greys.frame}
    return {"top": greys.top, "span": greys.span, **windows, **frame}


def decoding_of_set(stored: Mapping[str, Stored]) -> SetDecoding:
    """The ranges that hold the values of all files, by path, and sentences on them. A set of 8 bits, or with values of 16 bits, needs no setting."""
    greys = Greys(_top(_of(stored, SIXTEEN).values()), _span(_of(stored, OPEN).values()))
    setting = None if greys == USUAL else json.dumps(fields_of(greys), sort_keys=True)
    return SetDecoding(setting, tuple(_notes(greys)), tuple(_warnings(stored)))


def _windowed(image: Image.Image, windows: Sequence[Window]) -> Image.Image | None:
    """Deep greys of each window as the channels of an RGB image; None: the image has no deep greys."""
    if isinstance(image, DicomFile):
        if not image.is_deep:
            return None
        channels = [image.windowed(window) for window in windows]
    elif _scale(image) is None:
        return None
    else:
        stored = np.asarray(image)
        channels = [
            by_value(stored, lambda values, window=window: in_eight_bits(window.shown(_finite(values))))  # type: ignore[misc]
            for window in windows
        ]
    shown = [Image.fromarray(channel, "L") for channel in channels]
    return Image.merge("RGB", shown if len(shown) == 3 else 3 * shown[:1])


def _scale(image: Image.Image) -> str | None:
    # Pillow opens PGM files of more than 8 bits as 32-bit integers, scaled to the full 16 bits.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return SIXTEEN
    if image.mode in ("I", "F"):
        return OPEN
    return None


def has_deep_colours(opened: ImageFile.ImageFile) -> bool:
    """Whether the file of an opened image has 16 bits a channel for colours, or for grey with transparency; a loaded image no longer shows that."""
    modes = (part for tile in opened.tile for part in (tile[3] if isinstance(tile[3], tuple) else (tile[3],)))
    return opened.mode.startswith(("RGB", "LA")) and any(isinstance(mode, str) and ";16" in mode for mode in modes)


def _extrema(image: Image.Image) -> list[tuple[float, float]]:
    return [image.getchannel(band).getextrema() for band in image.getbands() if band != "A"]  # type: ignore[misc]


def _finite(stored: Array) -> _Floats:
    """Values in float64; what is no number, or without end, counts as 0."""
    return np.nan_to_num(stored.astype(np.float64), posinf=0.0, neginf=0.0)


def _extremes(stored: Array) -> tuple[float, float]:
    """The smallest and largest value."""
    values = np.nan_to_num(stored, posinf=0.0, neginf=0.0)
    return float(values.min()), float(values.max())


def _scaled(stored: Array, low: float, high: float) -> Array:
    """Values from `low` to `high` as uint8."""
    shares = (_finite(stored) - low) * 255.0 / ((high - low) or 1.0)
    return np.asarray(np.clip(np.rint(shares), 0, 255).astype(np.uint8))


def _of(stored: Mapping[str, Stored], scale: str) -> dict[str, Values]:
    return {path: one.values for path, one in stored.items() if one.values is not None and one.values.scale == scale}


def _top(values: Iterable[Values]) -> int:
    """The largest value of the smallest usual depth that holds all values."""
    highest = max((one.high for one in values), default=float(FULL))
    return next((2**bits - 1 for bits in _DEPTHS if highest < 2**bits), FULL)


def _span(values: Iterable[Values]) -> tuple[float, float] | None:
    """The smallest usual range that holds all values, else their own."""
    ranges = list(values)
    if not ranges:
        return None
    low, high = min(one.low for one in ranges), max(one.high for one in ranges)
    usual = next((top for top in _USUAL if low >= 0 and high <= top), None)
    return (low, high) if usual is None else (0.0, usual)


def _span_of_one(low: float, high: float) -> tuple[float, float]:
    usual = next((top for top in _USUAL_OF_ONE if low >= 0 and high <= top), None)
    return (low, high) if usual is None else (0.0, usual)


def _notes(greys: Greys) -> Iterable[str]:
    always = "New images are read with the same range; values beyond it come out black or white."
    if greys.top != FULL:
        bits = greys.top.bit_length()
        yield f"Greys in files of 16 bits hold {bits} bits in this set: they are read from 0 to {greys.top:,}. {always}"
    if greys.span is not None:
        low, high = greys.span
        yield f"Greys of 32 bits or floats are read from {low:,g} to {high:,g}, the range of this set. {always}"


def _warnings(stored: Mapping[str, Stored]) -> Iterable[str]:
    unstated = _of(stored, UNSTATED)
    if flat := sorted(path for path, one in unstated.items() if one.high - one.low <= _FLAT):
        yield (
            f"{len(flat)} DICOM files, such as `{flat[0]}`, state no window, and use less than an eighth of what their bits could hold, so they come out "
            "nearly even. Name a window: backbone.windows=[[40, 400]] is one for soft tissue in CT (docs/radiology.md)."
        )
    sixteen, colours = _of(stored, SIXTEEN), _of(stored, COLOUR)
    top = _top(sixteen.values())
    for depth in _DEPTHS:
        larger = sorted(path for path, one in sixteen.items() if one.high >= 2**depth)
        if top >= _DARK * 2**depth - 1 and 0 < len(larger) <= _FEW * len(sixteen):
            yield (
                f"{len(sixteen) - len(larger)} of {len(sixteen)} grey images of 16 bits hold values of {depth} bits or less, and `{larger[0]}` "
                f"holds {sixteen[larger[0]].high:,.0f}. So all are read from 0 to {top:,}, and most come out dark; "
                f"leave out {'it' if len(larger) == 1 else f'these {len(larger)}'} if the values are wrong."
            )
            return
    if colours and _top(colours.values()) < FULL:
        yield (
            f"{len(colours)} images of 16 bits with colours or transparency hold values of {_top(colours.values()).bit_length()} bits or less. "
            "Only the upper 8 bits of these are read, so they come out nearly black; save them with 8 bits a channel, or as plain grey."
        )
