"""A digest of a fixed sound after the preparation; a library update that changes samples changes the digest, and so the fingerprint."""

from pathlib import Path

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.decoding import decoded

PROBE = Path(__file__).with_name("probe.wav")
"""A rising tone with noise, of a quarter of a second, in two channels at 22,050 Hz."""


def probe_digest(rate: int) -> str:
    """BLAKE3, hex, of the probe's samples at a rate."""
    return digest_bytes(decoded(PROBE.read_bytes(), rate, Limits()).tobytes()).hex()
