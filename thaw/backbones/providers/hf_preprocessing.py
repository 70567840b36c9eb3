"""The preprocessing that a folder of transformers states in its preprocessor_config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thaw.foundation.errors import BadWeights
from thaw.kinds.images.preprocessing import Preprocessing

_INTERPOLATIONS = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""By Pillow's numbers."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocessing_from(settings: Mapping[str, Any], *, usual_side: int, asked: int | None) -> Preprocessing:
    """The preprocessing of these settings. usual_side: of the network's input, where they state none. asked: the side that replaces theirs, in proportion.

    Raises:
        BadWeights: they ask for steps that Thaw has not.
    """
    resize, crop = _sizes(settings, usual_side)
    factor = 1.0 if asked is None else asked / crop
    if abs(float(settings.get("rescale_factor", 1 / 255)) - 1 / 255) > 1e-6:
        raise BadWeights(f"preprocessor_config.json scales by {settings['rescale_factor']}; 1/255 is read")
    number = settings.get("resample", 3)
    if number not in _INTERPOLATIONS:
        raise BadWeights(f"preprocessor_config.json resizes by Pillow's method {number}; {[*_INTERPOLATIONS]} are read")
    normalised = settings.get("do_normalize", True)
    return Preprocessing(
        resize=round(resize * factor)
        if isinstance(resize, int)
        else (round(resize[0] * factor), round(resize[1] * factor)),
        crop=asked or crop,
        interpolation=_INTERPOLATIONS[number],
        mean=_three(settings.get("image_mean", _MEAN)) if normalised else (0.0, 0.0, 0.0),
        std=_three(settings.get("image_std", _STD)) if normalised else (1.0, 1.0, 1.0),
    )


def _sizes(settings: Mapping[str, Any], usual: int) -> tuple[int | tuple[int, int], int]:
    """The size that inputs are brought to, as in `Preprocessing.resize`, and the side of the crop.

    Raises:
        BadWeights: the input of the network is no square.
    """
    size = settings.get("size", usual)
    cropped = settings.get("crop_size", usual) if settings.get("do_center_crop") else None
    if isinstance(size, int):
        resize: int | tuple[int, int] = size if cropped is not None else (size, size)
    elif "shortest_edge" in size:
        resize = int(size["shortest_edge"])
    else:
        resize = (int(size["height"]), int(size["width"]))
    sides = (
        {cropped}
        if isinstance(cropped, int)
        else set(cropped.values())
        if cropped
        else {resize}
        if isinstance(resize, int)
        else {*resize}
    )
    if len(sides) != 1:
        raise BadWeights(
            f"preprocessor_config.json makes inputs of {' x '.join(map(str, sides))} pixels; squares are read"
        )
    return resize, int(sides.pop())


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
