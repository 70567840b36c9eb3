"""How recordings are heard: by the backbone or without it, and in which noise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hearing:
    """plain: without a backbone, as log-mel spectra. noise: the split whose noise is mixed in; None: no noise. snr: the ratio of sound to noise, in decibels;
    None: without noise."""

    plain: bool = False
    noise: str | None = None
    snr: float | None = None

    def __str__(self) -> str:
        noise = "" if self.snr is None else f" in the noise of {self.noise} at {self.snr:g} dB"
        return f"{'without a backbone' if self.plain else 'by the backbone'}{noise}"


CLEARLY = Hearing()
"""By the backbone, without added noise."""
