"""CRC-32C by its published numbers, and beside the plainest form of its definition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.backbones.converting.crc32c import crc32c, masked_crc32c


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)],
)
def test_the_published_numbers(data: bytes, value: int) -> None:  # RFC 3720, appendix B.4
    assert crc32c(data) == value


def plainly(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3000), st.randoms(use_true_random=False))
def test_lanes_change_nothing(size: int, chance: object) -> None:
    data = chance.randbytes(size)  # type: ignore[attr-defined]
    assert crc32c(data) == plainly(data)


def test_the_mask_is_that_of_leveldb() -> None:
    value = crc32c(b"foo")
    assert masked_crc32c(b"foo") == ((value >> 15 | value << 17) + 0xA282EAD8) % 2**32 != value
