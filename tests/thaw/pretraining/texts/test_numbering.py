"""A corpus as numbers holds its sentences, its neighbours and its rare words' absence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_corpus import write_corpus

from thaw.foundation.errors import BadSource
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.numbering import Numbered, count_words, number_corpus, read_numbered, vocabulary_of

FILLER = "\n\n".join(["filler filler"] * 100)
"""Enough sentences, none of them neighbours."""


def numbered(path: Path, *, min_count: int = 1, max_words: int = 1000) -> Numbered:
    corpus = Corpus((path,))
    counts, facts = count_words(corpus, lowercase=True)
    vocabulary = vocabulary_of(counts, min_count=min_count, max_words=max_words)
    folder = path.parent / "numbers"
    folder.mkdir(exist_ok=True)
    return number_corpus(corpus, vocabulary, facts, folder, lowercase=True)


def test_words_are_ordered_by_their_counts_and_rare_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{FILLER}\n\nThe cat, the dog.\nthe cat\nunicorn\nthe end\n")
    found = numbered(tmp_path / "a", min_count=2)
    assert found.vocabulary.words == ("filler", "the", "cat")
    assert found.vocabulary.counts == (200, 4, 2) and found.vocabulary.all_words == 8
    assert (found.facts.sentences, found.facts.words) == (104, 211)
    assert [found.sentence(number).tolist() for number in range(100, 104)] == [[1, 2, 1], [1, 2], [], [1]]
    assert found.neighbours(1).tolist() == [[100, 101]], "a sentence without a known word is no neighbour"
    assert found.neighbours(3).tolist() == [[100, 101], [101, 103], [100, 103]]
    assert numbered(tmp_path / "a", max_words=2).vocabulary.words == ("filler", "the")


def test_the_digest_is_of_the_lines_and_not_of_the_packing(tmp_path: Path) -> None:
    import lzma

    plain = write_corpus(tmp_path / "a", 20)
    (tmp_path / "b").write_bytes(lzma.compress(plain.read_bytes().replace(b"\n", b"\r\n")))
    (tmp_path / "c").write_bytes(plain.read_bytes().replace(b"word1", b"word2", 1))
    digests = [count_words(Corpus((tmp_path / name,)), lowercase=True)[1].digest for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_it_is_read_again_whole_or_not_at_all(tmp_path: Path) -> None:
    made = numbered(write_corpus(tmp_path / "a", 20))
    again = read_numbered(tmp_path / "numbers")
    assert again is not None and again.vocabulary == made.vocabulary and again.facts == made.facts
    assert np.array_equal(again.words, made.words) and np.array_equal(again.follows, made.follows)
    (tmp_path / "numbers/corpus.json").unlink()
    assert read_numbered(tmp_path / "numbers") is None


def test_too_little_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one two three\n" * 99 + "...\n \n")
    assert count_words(Corpus((tmp_path / "a",)), lowercase=True)[1].sentences == 100
    (tmp_path / "a").write_text("one two three\n" * 99 + "\n" * 50)
    with pytest.raises(BadSource, match="has 99 sentences, and pretraining needs 100 or more"):
        count_words(Corpus((tmp_path / "a",)), lowercase=True)
    (tmp_path / "a").write_text("\n".join(f"word{number}" for number in range(200)))
    counts, _ = count_words(Corpus((tmp_path / "a",)), lowercase=True)
    with pytest.raises(BadSource, match="0 words of the corpus occur 5 times or more"):
        vocabulary_of(counts, min_count=5, max_words=100)


@given(paragraphs=st.lists(st.integers(1, 30), min_size=20, max_size=40), window=st.integers(1, 4))
def test_neighbours_are_all_pairs_of_a_paragraph_within_the_window(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: list[int], window: int
) -> None:
    path = tmp_path_factory.mktemp("corpus") / "a"
    path.write_text("\n\n".join("\n".join(["a word"] * count) for count in [*paragraphs, 100]))
    found = numbered(path)
    home = np.repeat(np.arange(len(paragraphs) + 1), [*paragraphs, 100])
    wanted = {
        (first, second)
        for first in range(len(home))
        for second in range(first + 1, min(first + window, len(home) - 1) + 1)
        if home[first] == home[second]
    }
    pairs = [tuple(pair) for pair in found.neighbours(window).tolist()]
    assert len(pairs) == len(wanted) and set(pairs) == wanted
    assert 0 < found.held_out.mean() < 0.1
