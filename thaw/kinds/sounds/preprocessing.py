"""The preparation of sounds: one channel at the network's rate, as frames of 10 ms; spectra are computed by the network itself."""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, MASK, SAMPLES, framed, hop_of

FORM = "waveform"
_TYPICAL_S = 60
"""Seconds of a long sound."""
_SILENT = 1e-7
"""What `unit` adds to a variance, as in Hugging Face's `Wav2Vec2FeatureExtractor.zero_mean_unit_var_norm`."""


@dataclass(frozen=True)
class WaveformPreprocessing:
    """rate: samples a second. level: `kept`, or `unit`, which gives each sound the mean 0 and the variance 1."""

    kind: ClassVar[str] = "sounds"
    rate: int = 16_000
    level: Literal["kept", "unit"] = "kept"

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.rate % FRAMES_A_SECOND:
            raise ValueError(f"a rate of {self.rate} has no whole number of samples in 10 ms")

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, **asdict(self)}, sort_keys=True)

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a second of silence."""
        return framed(torch.zeros(self.rate), self.rate)

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return _TYPICAL_S * FRAMES_A_SECOND * (4 * hop_of(self.rate) + 1)

    def normalise(self, batch: Batch) -> Batch:
        """See `Preprocessing`; padding stays zero."""
        if self.level == "kept":
            return batch
        given = mapping_of(batch)
        counted = given[MASK][:, :, None]
        number = (counted.sum((1, 2)) * given[SAMPLES].shape[2]).clamp(min=1)[:, None, None]
        mean = given[SAMPLES].sum((1, 2), keepdim=True) / number
        centred = (given[SAMPLES] - mean).masked_fill(~counted, 0.0)
        variance = centred.square().sum((1, 2), keepdim=True) / number
        return {**given, SAMPLES: centred / (variance + _SILENT).sqrt()}

    def normalise_plainly(self, batch: Batch) -> Batch:
        """See `normalise`."""
        return self.normalise(batch)

    def scale_and_shift(self) -> None:
        """The normalisation of a sound depends on the sound, so no engine fuses it."""
        return

    def mask(self, batch: Batch) -> Tensor:
        """See `Preprocessing`."""
        return mapping_of(batch)[MASK]

    def probe_digest(self) -> str:
        """See `Preprocessing` and `thaw.kinds.sounds.probe`."""
        from thaw.kinds.sounds.probe import probe_digest

        return probe_digest(self.rate)

    def with_decoding(self, decoding: str) -> Self:
        """See `Preprocessing`."""
        if decoding != "exact":
            raise BadParameters(f"backbone.decoding: {decoding} given, and sounds are always read exactly; set exact")
        return self

    def of_set(self, setting: str | None) -> Self:
        """See `Preprocessing`; every sound is read alone."""
        return self


def preprocessing_from_json(text: str) -> WaveformPreprocessing:
    """The preprocessing of a network of sounds, as its `to_json` wrote it; unknown or missing keys raise TypeError or KeyError."""
    values = json.loads(text)
    del values["kind"]
    if values.pop("form") != FORM:
        raise KeyError("form")
    return WaveformPreprocessing(**values)
