"""The budget of `thaw rank`: predicted seconds of one core, by counted operations.

Nothing is timed, so the same budget tries the same backbones on every machine, however busy it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision
from thaw.dataset.manifest import Example
from thaw.features.extraction.extraction import cut_layers
from thaw.features.store.store import FeatureStore
from thaw.kinds.kind import IDENTITY
from thaw.params.sections import ExtractParams

RATE = 4e10
"""Operations a second of one core, fixed. Cores of today do half of it to three times as much in float32."""
READING = 0.005
"""Seconds of one core that reading and preparing an example counts as."""
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


class BeyondBudget(Exception):
    """A backbone whose features would take longer than what is left."""


@dataclass
class Budget:
    """left: seconds; None: without a limit."""

    left: float | None

    def spend(self, lacking: int, operations: float) -> None:
        """Take the predicted time of `lacking` examples, with these operations each, from the budget.

        Raises:
            BeyondBudget: there is not so much left; nothing is taken.
        """
        needed = lacking * (operations / RATE + READING)
        if self.left is None:
            return
        if needed > self.left:
            raise BeyondBudget(
                f"{lacking:,} examples of {operations / 1e9:.3g} billion operations count as {_time(needed)} of one core, and "
                f"{_time(self.left)} are left; raise --minutes"
            )
        self.left -= needed


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.1f} seconds"


def lacking_of(backbone: Backbone, store: FeatureStore, examples: Sequence[Example], params: ExtractParams) -> int:
    """The number of examples without features of the last cut layer, in the precision that has the most."""
    digests = {example.digest for example in examples}
    asked = PRECISIONS if params.precision == "auto" else (params.precision,)
    last = [cut_layers(backbone, precision, params.dtype, (IDENTITY,))[-1] for precision in asked]
    present = (set(store.digests(layer.fingerprint, layer.name).to_pylist()) for layer in last)
    return len(digests) - max(len(digests & there) for there in present)
