"""Characters of words as ELMo takes them, and words as InferSent 2 cuts them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from export_programs import prepared_by_the_program
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.errors import BadExample, BadParameters
from thaw.kinds.batches import stacked
from thaw.kinds.registry import preprocessing_from_json
from thaw.kinds.texts.bags import word_bags
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing
from thaw.kinds.texts.characters import characters_of, sentence_marks
from thaw.kinds.texts.moses_preprocessing import MosesPreprocessing
from thaw.kinds.texts.moses_words import moses_words_of
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

PREPROCESSING = CharacterPreprocessing(longest=12)
TEXTS = ["It's GOOD, isn't it?", "日本 and हिन्दी 👍 3.5 donaudampfschifffahrt", "\u00ad"]


def test_a_word_has_the_numbers_of_allennlp() -> None:
    assert characters_of(["one"], 8).tolist() == [[259, 112, 111, 102, 260, 261, 261, 261]]
    assert characters_of(["é"], 5).tolist() == [[259, 0xC3 + 1, 0xA9 + 1, 260, 261]]
    assert characters_of(["abcdef"], 5).tolist() == [[259, 98, 99, 100, 260]], "a long word is cut"
    assert sentence_marks(5).tolist() == [[259, 257, 260, 261, 261], [259, 258, 260, 261, 261]]
    assert characters_of([], 4).tolist() == characters_of([""], 4).tolist() == [[259, 260, 261, 261]]


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=8))
def test_every_word_stands_between_its_marks(words: list[str]) -> None:
    rows = characters_of(words, 12)
    assert rows.dtype == np.int16 and (rows >= 1).all() and (rows <= 261).all()
    assert (rows[:, 0] == 259).all() and ((rows == 260).sum(1) == 1).all()
    for row, word in zip(rows, words, strict=True):
        inside = bytes((row[1 : row.tolist().index(260)] - 1).astype(np.uint8))
        assert inside == word.encode("utf-8", "ignore")[:10]


def test_texts_keep_their_capitals_and_may_lack_words() -> None:
    prepared = PREPROCESSING.prepare(b"It isn't")
    assert torch.equal(prepared["tokens"], torch.from_numpy(characters_of(["It", "is", "n't"], 12)))
    assert PREPROCESSING.prepare("\u00ad".encode())["mask"].tolist() == [True]
    with pytest.raises(BadExample, match="is empty"):
        PREPROCESSING.prepare(b"")
    batch = stacked([prepared, PREPROCESSING.blank()])
    assert PREPROCESSING.mask(batch).sum(1).tolist() == [3, 8]


def test_isnt_is_three_words_for_infersent_2() -> None:
    assert moses_words_of("Isn't it Bob's? Don't!") == ["Is", "n", "'t", "it", "Bob", "'s", "?", "Do", "n", "'t", "!"]
    prepared = MosesPreprocessing().prepare(b"isn't")
    assert prepared["tokens"].tolist() == [key_of(word) for word in ("is", "n", "'t")] and prepared["mask"].all()


@pytest.mark.parametrize("preprocessing", [PREPROCESSING, MosesPreprocessing()])
def test_a_preprocessing_survives_its_json(preprocessing: CharacterPreprocessing | MosesPreprocessing) -> None:
    assert preprocessing_from_json(preprocessing.to_json()) == preprocessing
    with pytest.raises(BadParameters, match="texts are always read exactly"):
        preprocessing.with_decoding("scaled")
    others = (WordPreprocessing(lowercase=False), CharacterPreprocessing(longest=13))
    assert preprocessing.probe_digest() not in [other.probe_digest() for other in others]


@pytest.mark.parametrize("preprocessing", [PREPROCESSING, MosesPreprocessing()])
def test_the_recipe_of_an_export_prepares_what_thaw_prepares(
    preprocessing: CharacterPreprocessing | MosesPreprocessing, tmp_path: Path
) -> None:
    texts = TEXTS if preprocessing is PREPROCESSING else TEXTS[:2]
    wanted = stacked([preprocessing.prepare(text.encode()) for text in texts])
    assert not isinstance(wanted, torch.Tensor)
    assert prepared_by_the_program(preprocessing, texts, tmp_path) == {
        name: [str(value.dtype).removeprefix("torch."), value.tolist()] for name, value in wanted.items()
    }


def test_bags_of_characters_are_bags_of_words() -> None:
    texts = [b"good day", b"a very good day", b"day good", b"good dax"]
    short, long, turned, other = word_bags(stacked([PREPROCESSING.prepare(text) for text in texts]))
    assert {*short.tolist()} - {-1} <= {*long.tolist()} and (short != -1).sum() == 3 and (long != -1).sum() == 7
    assert len({*short.tolist()} & {*turned.tolist()} - {-1}) == 2, "the words, and not their pair"
    assert len({*short.tolist()} & {*other.tolist()} - {-1}) == 1
