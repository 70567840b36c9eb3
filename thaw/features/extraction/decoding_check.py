"""The check of a reader's shortened decoding: the backbone's features must stay within tolerance, on the user's own examples."""

import logging
from collections.abc import Sequence
from itertools import islice

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import SCALED_DECODING
from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import IDENTITY, Reader, Reference
from thaw.kinds.reading import spread

log = logging.getLogger(__name__)

SAMPLE = 8
"""The number of examples that are compared."""
LOOKED_AT = 64
"""The number of examples that are searched for shortened ones; the headers of all would cost more time than the comparison."""


def check_decoding(reader: Reader, backbone: Backbone, examples: Sequence[Reference]) -> None:
    """Compare features after shortened decoding with those after exact decoding, if the reader shortens any example.

    Raises:
        BadParameters: the features differ by more than the tolerance.
    """
    exact = reader.exact()
    if exact is None:
        return
    shortened = (example for example in spread(examples, LOOKED_AT) if reader.shortens(example))
    large = list(islice(shortened, SAMPLE))
    if len(large) < 2:
        return
    expected = reference_features(exact.read(large, (IDENTITY,))[IDENTITY], backbone)
    features = reference_features(reader.read(large, (IDENTITY,))[IDENTITY], backbone)
    worst = worst_deviation(features, expected)
    log.info("scaled decoding of %d large %s: %s", len(large), backbone.words.many, worst)
    if not SCALED_DECODING.allows(worst):
        raise BadParameters(
            f"backbone.decoding: scaled is outside its tolerance on this backbone and these {backbone.words.many} ({worst}); set backbone.decoding=exact"
        )
