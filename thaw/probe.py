"""What the preprocessing makes of two fixed pictures: a library update that changes pixels changes this digest, and so the fingerprint."""

from pathlib import Path

from blake3 import blake3

from thaw.decoding import decode_pixels
from thaw.preprocessing import Preprocessing

PROBES = (Path(__file__).with_name("probe.jpg"), Path(__file__).with_name("probe.png"))
"""Rings and ramps, drawn by formula: a JPEG of 400 x 300 pixels, and a PNG of 200 x 150 with a palette and transparency."""
_MAX_PIXELS = 10**6


def probe_digest(preprocessing: Preprocessing) -> str:
    """BLAKE3, hex, of the pixels of the probes as `thaw.decoding` gives them for this preprocessing."""
    pixels = (decode_pixels(path.read_bytes(), preprocessing, _MAX_PIXELS) for path in PROBES)
    return blake3(b"".join(each.numpy().tobytes() for each in pixels)).hexdigest()
