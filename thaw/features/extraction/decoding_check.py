"""Whether scaled decoding leaves the features of a backbone what they are, on the user's own images."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import SCALED_DECODING
from thaw.foundation.errors import BadParameters
from thaw.kinds.images.decoding import scaled_by
from thaw.kinds.images.files import open_image
from thaw.kinds.images.reading import PixelSource, Reference, read_ingested, spread

log = logging.getLogger(__name__)

SAMPLE = 8
"""Images that are compared."""
LOOKED_AT = 64
"""Images among which large ones are looked for: reading headers of all would cost more than the comparison."""


def check_decoding(pixels: PixelSource, backbone: Backbone, images: Sequence[Reference]) -> None:
    """Compare features after scaled decoding with those after exact decoding; nothing is done where decoding is exact, or no image is large.

    Raises:
        BadParameters: they differ by more than the tolerance.
    """
    large = list(islice(_scaled(pixels, spread(images, LOOKED_AT)), SAMPLE))
    if len(large) < 2:
        return
    exact = replace(pixels, preprocessing=replace(pixels.preprocessing, decoding="exact"))
    expected = reference_features(exact.read(large), backbone)
    found = reference_features(pixels.read(large), backbone)
    worst = worst_deviation(found, expected)
    log.info("scaled decoding of %d large images: %s", len(large), worst)
    if not SCALED_DECODING.allows(worst):
        raise BadParameters(
            f"backbone.decoding: scaled is outside its tolerance on this backbone and these images ({worst}); set backbone.decoding=exact"
        )


def _scaled(pixels: PixelSource, images: Sequence[Reference]) -> Iterator[Reference]:
    if pixels.preprocessing.decoding == "exact":
        return
    for digest, path in images:
        if scaled_by(open_image(read_ingested(digest, path), pixels.max_pixels), pixels.preprocessing) > 1:
            yield digest, path
