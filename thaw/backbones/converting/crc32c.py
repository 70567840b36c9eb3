"""The checksum CRC-32C (Castagnoli), many bytes at once, and the mask that LevelDB's formats store it with."""

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_ALL = 0xFFFFFFFF
_MOST_LANES = 2**15
_BITS = np.arange(32, dtype=np.uint32)


def masked_crc32c(data: bytes | NDArray[np.uint8]) -> int:
    """The stored form of a checksum: turned by 15 bits, plus a constant (LevelDB, `util/crc32c.h`)."""
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & _ALL


def crc32c(data: bytes | NDArray[np.uint8]) -> int:
    """The checksum of bytes, about 0.1 GB a second.

    The checksum is linear over bits, so the data are cut into lanes of one length, all lanes are computed together, and their checksums are put together by
    shifts (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators", ISCC 2005).
    """
    given = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    lanes = 1
    while lanes < _MOST_LANES and lanes * lanes < len(given):
        lanes *= 2
    size = len(given) // (2 * lanes) * 2
    value = np.uint32(_ALL)
    if size:
        joined = _joined(_lane_values(given[: lanes * size].reshape(lanes, size)), size)
        value = np.bitwise_xor(_shifted(np.array([value], np.uint32), _shift_by(lanes * size))[0], joined)
    for byte in given[lanes * size :]:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> np.uint32(8))
    return int(value) ^ _ALL


def _lane_values(lanes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The remainders of lanes uint8 [L, S], each from the state 0: uint32 [L]; S is even."""
    values = np.zeros(len(lanes), np.uint32)
    for column in np.ascontiguousarray(lanes.view("<u2").T):
        values = _PAIRS.take((values ^ column) & _PAIR) ^ (values >> _PAIR_BITS)
    return values


def _joined(values: NDArray[np.uint32], size: int) -> np.uint32:
    """The remainder of lanes one after another, each of `size` bytes; their number is a power of two."""
    shift = _shift_by(size)
    while len(values) > 1:
        values = _shifted(values[::2], shift) ^ values[1::2]
        shift = _shifted(shift, shift)
    return np.uint32(values[0])


def _shift_by(nbytes: int) -> NDArray[np.uint32]:
    """What becomes of each of the 32 bits of a state after that many bytes of zeros."""
    shift = np.left_shift(np.uint32(1), _BITS)
    power = _TABLE[shift & 0xFF] ^ (shift >> np.uint32(8))
    while nbytes:
        if nbytes & 1:
            shift = _shifted(shift, power)
        power = _shifted(power, power)
        nbytes >>= 1
    return shift


def _shifted(values: NDArray[np.uint32], shift: NDArray[np.uint32]) -> NDArray[np.uint32]:
    chosen = np.where(values[:, None] >> _BITS & 1, shift, np.uint32(0))
    joined: NDArray[np.uint32] = np.bitwise_xor.reduce(chosen, axis=1)
    return joined


def _table() -> NDArray[np.uint32]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> np.uint32(1) ^ np.uint32(_POLYNOMIAL), values >> np.uint32(1))
    return values


_TABLE = _table()
"""What becomes of the last byte of a state after a byte of zeros."""
_PAIR, _PAIR_BITS = np.uint32(0xFFFF), np.uint32(16)
_LOW, _HIGH = np.arange(2**16, dtype=np.uint32) & 0xFF, np.arange(2**16, dtype=np.uint32) >> np.uint32(8)
_PAIRS = _TABLE[(_TABLE[_LOW] ^ _HIGH) & 0xFF] ^ (_TABLE[_LOW] >> np.uint32(8))
"""What becomes of the last two bytes after two bytes of zeros."""
