"""A digest of fixed images after the preprocessing; a library update that changes pixels changes the digest, and so the fingerprint."""

import io
from pathlib import Path

from blake3 import blake3
from PIL import Image

from thaw.kinds.images.decoding import LEAST_GAP, decode_pixels
from thaw.kinds.images.preprocessing import Preprocessing

PROBES = (Path(__file__).with_name("probe.jpg"), Path(__file__).with_name("probe.png"))
"""Rings and ramps, drawn by formula: a JPEG of 400 x 300 pixels, and a PNG of 200 x 150 with a palette and transparency."""
_MAX_PIXELS = 10**9


def probe_digest(preprocessing: Preprocessing) -> str:
    """BLAKE3, hex, of the pixels of the probes as `thaw.kinds.images.decoding` gives them for this preprocessing."""
    contents = [path.read_bytes() for path in PROBES]
    if preprocessing.decoding == "scaled":
        contents.append(_enlarged(PROBES[0], preprocessing))
    pixels = (decode_pixels(content, preprocessing, _MAX_PIXELS) for content in contents)
    return blake3(b"".join(each.numpy().tobytes() for each in pixels)).hexdigest()


def _enlarged(path: Path, preprocessing: Preprocessing) -> bytes:
    """A probe as a JPEG that is large enough to be decoded at a fraction of its size."""
    needed = preprocessing.resize if isinstance(preprocessing.resize, int) else max(preprocessing.resize)
    buffer = io.BytesIO()
    with Image.open(path) as image:
        shorter = 4 * LEAST_GAP * needed
        width, height = (shorter * side // min(image.size) for side in image.size)
        image.resize((width, height), Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
