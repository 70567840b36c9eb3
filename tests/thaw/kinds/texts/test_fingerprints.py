"""Fingerprints beside TensorFlow's own, in `tests/fixtures/tensorflow`."""

import json
from pathlib import Path

import pytest

from thaw.kinds.texts.fingerprints import fingerprint_of
from thaw.kinds.texts.spaced_words import spaced_words

ANSWERS = json.loads((Path(__file__).parents[3] / "fixtures/tensorflow/fingerprints.json").read_text())


@pytest.mark.parametrize("word", ANSWERS)
def test_words_of_all_lengths(word: str) -> None:
    value = fingerprint_of(word)
    assert -(2**63) <= value < 2**63
    assert value % 2**64 % (2**62 - 57) == ANSWERS[word]


@pytest.mark.parametrize(
    ("text", "kept", "normalised"),
    [
        ("A cat, isn't it?", ["A", "cat,", "isn't", "it?"], ["A", "cat", "isnt", "it"]),
        ("a - b", ["a", "-", "b"], ["a", "b"]),
        ("one\ntwo\tthree\n", ["one", "two", "three"], ["one", "two", "three"]),
        ("«¿?»", ["«¿?»"], [""]),
        ("5 $ + €", ["5", "$", "+", "€"], ["5", "$", "+", "€"]),
    ],
)
def test_words_between_spaces(text: str, kept: list[str], normalised: list[str]) -> None:
    assert spaced_words(text, punctuation=True, empty=False) == kept
    assert spaced_words(text, punctuation=False, empty=False) == normalised


def test_two_spaces_may_have_an_empty_word_between_them() -> None:
    assert spaced_words("a - b\n", punctuation=False, empty=True) == ["a", "", "b"]
