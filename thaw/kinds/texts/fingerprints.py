"""TensorFlow's hash of words, `Fingerprint64` of FarmHash. These functions stand in the README of exports too, so they use nothing but Python's own library.

Algorithm: Pike and Alakuijala, FarmHash, `farmhashna`, https://github.com/google/farmhash
"""

from functools import lru_cache

BITS = 2**64 - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


@lru_cache(maxsize=2**18)
def fingerprint_of(word: str) -> int:
    """The hash of a word's UTF-8 bytes, from -2**63 to 2**63 - 1, by which a network finds the word's vector."""
    data = word.encode("utf-8", "surrogatepass")
    size = len(data)
    value = short_hash(data) if size <= 32 else middle_hash(data) if size <= 64 else long_hash(data)
    return value - 2**64 if value >> 63 else value


def fetch(data: bytes, place: int, size: int = 8) -> int:
    """The number at a place; a negative place counts from the end."""
    start = place if place >= 0 else len(data) + place
    return int.from_bytes(data[start : start + size], "little")


def turned(value: int, shift: int) -> int:
    """64 bits, turned to the right."""
    return (value >> shift | value << (64 - shift)) & BITS


def mixed(value: int) -> int:
    """The upper bits, mixed into the lower ones."""
    return value ^ value >> 47


def pair_hash(first: int, second: int, factor: int) -> int:
    """One number of two."""
    value = mixed((first ^ second) * factor & BITS)
    return mixed((second ^ value) * factor & BITS) * factor & BITS


def short_hash(data: bytes) -> int:
    """The hash of at most 32 bytes."""
    size = len(data)
    factor = K2 + 2 * size
    if size > 16:
        first, second = fetch(data, 0) * K1 & BITS, fetch(data, 8)
        third, fourth = fetch(data, -8) * factor & BITS, fetch(data, -16) * K2 & BITS
        one = turned(first + second & BITS, 43) + turned(third, 30) + fourth
        return pair_hash(one & BITS, first + turned(second + K2 & BITS, 18) + third & BITS, factor)
    if size >= 8:
        first, second = fetch(data, 0) + K2 & BITS, fetch(data, -8)
        third, fourth = turned(second, 37) * factor + first & BITS, (turned(first, 25) + second) * factor & BITS
        return pair_hash(third, fourth, factor)
    if size >= 4:
        return pair_hash(size + (fetch(data, 0, 4) << 3) & BITS, fetch(data, -4, 4), factor)
    if size:
        first = data[0] + (data[size >> 1] << 8)
        return mixed((first * K2 ^ (size + (data[-1] << 2)) * K0) & BITS) * K2 & BITS
    return K2


def middle_hash(data: bytes) -> int:
    """The hash of 33 to 64 bytes."""
    factor = K2 + 2 * len(data)
    first, second = fetch(data, 0) * K2 & BITS, fetch(data, 8)
    third, fourth = fetch(data, -8) * factor & BITS, fetch(data, -16) * K2 & BITS
    one = turned(first + second & BITS, 43) + turned(third, 30) + fourth & BITS
    two = pair_hash(one, first + turned(second + K2 & BITS, 18) + third & BITS, factor)
    fifth, sixth = fetch(data, 16) * factor & BITS, fetch(data, 24)
    seventh, eighth = (one + fetch(data, -32)) * factor & BITS, (two + fetch(data, -24)) * factor & BITS
    last = turned(fifth + sixth & BITS, 43) + turned(seventh, 30) + eighth & BITS
    return pair_hash(last, fifth + turned(sixth + first & BITS, 18) + seventh & BITS, factor)


def weak_hash(data: bytes, place: int, first: int, second: int) -> tuple[int, int]:
    """Two numbers of 32 bytes and two numbers."""
    first = first + fetch(data, place) & BITS
    second = turned(second + first + fetch(data, place + 24) & BITS, 21)
    before, first = first, first + fetch(data, place + 8) + fetch(data, place + 16) & BITS
    return first + fetch(data, place + 24) & BITS, second + turned(first, 44) + before & BITS


def long_hash(data: bytes) -> int:
    """The hash of more than 64 bytes."""
    seed = 81
    one, two = seed, seed * K1 + 113 & BITS
    three = mixed(two * K2 + 113 & BITS) * K2 & BITS
    pair, other = (0, 0), (0, 0)
    one = one * K2 + fetch(data, 0) & BITS
    end, rest = (len(data) - 1) // 64 * 64, (len(data) - 1) & 63
    for place in range(0, end, 64):
        one = turned(one + two + pair[0] + fetch(data, place + 8) & BITS, 37) * K1 & BITS
        two = turned(two + pair[1] + fetch(data, place + 48) & BITS, 42) * K1 & BITS
        one, two = one ^ other[1], two + pair[0] + fetch(data, place + 40) & BITS
        three = turned(three + other[0] & BITS, 33) * K1 & BITS
        pair = weak_hash(data, place, pair[1] * K1 & BITS, one + other[0] & BITS)
        other = weak_hash(data, place + 32, three + other[1] & BITS, two + fetch(data, place + 16) & BITS)
        one, three = three, one
    factor, place = K1 + ((three & 0xFF) << 1), len(data) - 64
    other = (other[0] + rest & BITS, other[1])
    pair = (pair[0] + other[0] & BITS, pair[1])
    other = (other[0] + pair[0] & BITS, other[1])
    one = turned(one + two + pair[0] + fetch(data, place + 8) & BITS, 37) * factor & BITS
    two = turned(two + pair[1] + fetch(data, place + 48) & BITS, 42) * factor & BITS
    one, two = one ^ other[1] * 9 & BITS, two + pair[0] * 9 + fetch(data, place + 40) & BITS
    three = turned(three + other[0] & BITS, 33) * factor & BITS
    pair = weak_hash(data, place, pair[1] * factor & BITS, one + other[0] & BITS)
    other = weak_hash(data, place + 32, three + other[1] & BITS, two + fetch(data, place + 16) & BITS)
    one, three = three, one
    value = pair_hash(pair[0], other[0], factor) + mixed(two) * K0 + three & BITS
    return pair_hash(value, pair_hash(pair[1], other[1], factor) + one & BITS, factor)
