"""Which recordings of a trigger's data set are heard in which way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from thaw.dataset.manifest import TEST, TRAIN, Example, Manifest
from thaw.features.sequences.mixing import MEASURED_SNRS, OTHERS_SNR, TRAINED_SNRS
from thaw.features.store.hearing import CLEARLY, Hearing
from thaw.foundation.errors import BadParameters


@dataclass(frozen=True)
class HearingPlan:
    """rows: the recordings of each hearing, the clear one of the backbone first. noise: the recordings of noise of each split that has some."""

    rows: Mapping[Hearing, Sequence[Example]]
    noise: Mapping[str, Sequence[Example]]

    def within(self, hearing: Hearing, rows: Iterable[Example]) -> list[Example]:
        """Those of `rows` that are heard so, in their order."""
        heard = {row.digest for row in self.rows.get(hearing, ())}
        return [row for row in rows if row.digest in heard]


def plan_of(manifest: Manifest, folder: str | None) -> HearingPlan:
    """Every recording is heard clearly, by the backbone and without it. In the noise of train the recordings of train are heard too: those with a trigger at
    each of `TRAINED_SNRS`, the others at `OTHERS_SNR`. In the noise of test the test recordings with a trigger are heard at each of `MEASURED_SNRS`.

    folder: of the source, relative; what lies below it is noise.

    Raises:
        BadParameters: no recording lies below the folder, or one there has a trigger in it.
    """
    examples = manifest.examples()
    noise = {} if folder is None else _noise(examples, folder)
    rows: dict[Hearing, list[Example]] = {CLEARLY: examples, Hearing(plain=True): examples}
    loud = {row.path for each in noise.values() for row in each}
    for split, snrs in ((TRAIN, TRAINED_SNRS), (TEST, MEASURED_SNRS)):
        own = [row for row in examples if row.split == split and row.path not in loud] if split in noise else []
        for snr in snrs:
            heard = [row for row in own if row.names or (split == TRAIN and snr == OTHERS_SNR)]
            for plain in (False, True) if split == TRAIN else (False,):
                if heard:
                    rows[Hearing(plain, split, snr)] = heard
    return HearingPlan(rows, noise)


def _noise(examples: Iterable[Example], folder: str) -> dict[str, list[Example]]:
    found = dict[str, list[Example]]()
    for row in examples:
        if row.path.startswith(f"{folder.rstrip('/')}/"):
            if row.names:
                raise BadParameters(f"trigger.noise: {row.path} shows {', '.join(row.names)}, and noise has no trigger")
            found.setdefault(row.split, []).append(row)
    if not found:
        raise BadParameters(f"trigger.noise: {folder} given, and no recording of the source lies below it")
    return found
