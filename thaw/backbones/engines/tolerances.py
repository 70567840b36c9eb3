"""How far a faster way may lie from the reference, by precision; what misses it is not used."""

from collections.abc import Mapping
from dataclasses import dataclass

from thaw.backbones.engines.reference import Deviation


@dataclass(frozen=True)
class Tolerance:
    """`cosine`: no mean-centred cosine may be smaller; `largest`: no value may differ by more standard deviations of the reference."""

    cosine: float
    largest: float

    def allows(self, found: Deviation) -> bool:
        """Whether the deviation lies within."""
        return found.cosine >= self.cosine and found.largest <= self.largest


TOLERANCES: Mapping[str, Tolerance] = {
    "float32": Tolerance(cosine=0.99999, largest=0.01),
    "bfloat16": Tolerance(cosine=0.99, largest=1.0),
    "float16": Tolerance(cosine=0.9995, largest=0.2),
}
"""Of the forward pass alone, on the same pixels."""

SCALED_DECODING = Tolerance(cosine=0.95, largest=2.5)
"""Of the reference's features after scaled decoding, against those after exact decoding; images that are decoded whole do not differ at all."""
