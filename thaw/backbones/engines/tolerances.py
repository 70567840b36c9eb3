"""The largest deviation of a faster way from the reference, by precision; a way that deviates more is not used."""

from collections.abc import Mapping
from dataclasses import dataclass

from thaw.backbones.engines.reference import Deviation


@dataclass(frozen=True)
class Tolerance:
    """The limits of a deviation. cosine: the least mean-centred cosine. largest: the largest difference of a value, in standard deviations of the reference."""

    cosine: float
    largest: float

    def allows(self, deviation: Deviation) -> bool:
        """Whether the deviation lies within the tolerance."""
        return deviation.cosine >= self.cosine and deviation.largest <= self.largest


TOLERANCES: Mapping[str, Tolerance] = {
    "float32": Tolerance(cosine=0.99999, largest=0.01),
    "bfloat16": Tolerance(cosine=0.99, largest=1.0),
    "float16": Tolerance(cosine=0.9995, largest=0.2),
}
"""The tolerances of the forward pass alone, on the same prepared examples."""

SCALED_DECODING = Tolerance(cosine=0.95, largest=2.5)
"""The tolerance of the reference's features after scaled decoding, against those after exact decoding; examples that are decoded whole do not differ."""
