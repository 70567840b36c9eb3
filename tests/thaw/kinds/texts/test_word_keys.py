"""Words in every script, and their keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.kinds.texts.word_keys import key_of, keys_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop!", ["do", "n't", "stop", "!"]),
        ("it’s John's, we'll go", ["it", "'s", "john", "'s", ",", "we", "'ll", "go"]),
        ("3.50€ for 1,000 pieces...", ["3.50", "€", "for", "1,000", "pieces", ".", ".", "."]),
        ("well-known (e.g. here)", ["well", "-", "known", "(", "e", ".", "g", ".", "here", ")"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("日本語です", ["日", "本", "語", "で", "す"]),
        ("nice👍🏽 day", ["nice", "👍", "🏽", "day"]),
        ("\u202egood\u202c co\u00adop", ["good", "coop"]),
        ("Known ISN'T 20 Å", ["known", "is", "n't", "20", "å"]),
        ("cafe\u0301", ["café"]),
        ("a\n\tb\u00a0c\u2028d", ["a", "b", "c", "d"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text, lowercase=True) == words


def test_capitals_stay_where_the_vocabulary_has_them() -> None:
    assert words_of("Paris in May", lowercase=False) == ["Paris", "in", "May"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_letter_is_lost(text: str) -> None:
    words = words_of(text, lowercase=False)
    assert all(words) and not any(any(letter.isspace() for letter in word) for word in words)
    assert len("".join(words)) >= sum(letter.isalpha() for letter in text) / 3, "composing joins at most three letters"


def test_keys_are_the_same_on_every_machine() -> None:
    assert keys_of("the cat", lowercase=True).tolist() == [key_of("the"), key_of("cat")]
    assert key_of("the") == 3331141520948189790, "vectors that were converted before are found by these numbers"
