"""The words that are spoken hold none of the words of the benchmarks."""

import json
from pathlib import Path

import pytest

from thaw.foundation.errors import BadSource
from thaw.pretraining.sounds.espeak import phones_of_word
from thaw.pretraining.sounds.vocabulary import HELD_OUT, is_held_out, vocabulary_of

TARGETS = {
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "alexa",
    "jarvis",
    "smart",
    "mirror",
    "view",
    "glass",
}


def letters(word: str) -> tuple[int, ...]:
    return tuple(map(ord, word))


def test_frequent_words_come_first_and_in_the_order_of_the_alphabet() -> None:
    lines = ["The house, the old house!", "An old HOUSE; a tree's leaf", "x 12 houses-of"]
    assert vocabulary_of(lines, 3, letters) == ("house", "old", "the")


def test_words_of_the_benchmarks_are_left_out_and_those_that_begin_or_end_with_one() -> None:
    assert set(HELD_OUT) >= TARGETS
    for word in (*TARGETS, "seventh", "someone", "smartly", "viewing", "hourglass"):
        assert is_held_out(word)
    assert not is_held_out("house")
    assert vocabulary_of(["seven seven house glasses tree"], 2, letters) == ("house", "tree")


def test_words_that_sound_like_one_of_the_benchmarks_or_like_each_other_are_left_out() -> None:
    lines = ["won won ate ate too too four fore", "see see sea house house tree"]
    assert vocabulary_of(lines, 3, phones_of_word) == ("house", "see", "tree")


def test_too_few_words_are_told() -> None:
    with pytest.raises(BadSource, match="has 1 different words that may be spoken, and 2 are asked for"):
        vocabulary_of(["house seven"], 2, letters)


def test_the_shipped_network_heard_no_word_of_the_benchmarks() -> None:
    words = json.loads(Path("data/pretrain/sounds/training.json").read_text())["speech"]["words"].split()
    sounds = {tuple(phones_of_word(word)) for word in TARGETS}
    assert len(words) == 3000
    assert not [word for word in words if is_held_out(word) or tuple(phones_of_word(word)) in sounds]
