"""Words of the Penn Treebank, and the preparations and recipes of networks with keys of words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.kinds.registry import preprocessing_from_json
from thaw.kinds.texts.keyed import Keyed
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.spaced_preprocessing import SpacedPreprocessing
from thaw.kinds.texts.treebank import sentences_of, treebank_words
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing

PREPARATIONS = (
    TreebankPreprocessing(lowercase=False),
    TreebankPreprocessing(lowercase=True),
    SpacedPreprocessing(punctuation=True, empty=False),
    SpacedPreprocessing(punctuation=False, empty=True),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [  # the words are those of NLTK 3.9's word_tokenize, but for the ends of sentences, which it knows by a trained model
        ('He said, "It\'s well-known..." (yes!)', "He said , `` It 's well-known ... '' ( yes ! )"),
        ("I can't, won't; cannot and I'm they've", "I ca n't , wo n't ; can not and I 'm they 've"),
        ("Good muffins cost $3.88 (roughly 3,36 euros).", "Good muffins cost $ 3.88 ( roughly 3,36 euros ) ."),
        ("Mr. Smith's U.S. idea. It works -- at 5:30, 50%.", "Mr. Smith 's U.S. idea . It works -- at 5:30 , 50 % ."),
        ("It doesn't. It really doesn't.", "It does n't . It really does n't ."),
        ("gonna gimme 'quoted' dogs' bowls", "gon na gim me ' quoted ' dogs ' bowls"),
        ("\u201cCurly\u201d isn\u2019t odd", "`` Curly '' is n't odd"),
        ("日本 हिन्दी café", "日本 हिन्दी café"),
    ],
)
def test_words_are_those_of_the_treebank(text: str, words: str) -> None:
    assert treebank_words(text, lowercase=False) == words.split()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_nothing_is_lost_but_spaces(text: str) -> None:
    assert "".join(sentences_of(text)) == text
    words = treebank_words(text, lowercase=True)
    assert all(word and not word.isspace() for word in words)
    letters = [letter for letter in "".join(words) if letter.isascii() and letter.isalnum()]
    assert letters.count("a") >= text.count("a")


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_a_preparation_survives_its_json(preparation: Keyed) -> None:
    again = preprocessing_from_json(preparation.to_json())  # type: ignore[attr-defined]
    assert again == preparation and again.probe_digest() == preparation.probe_digest()
    assert preparation.blank().keys() == preparation.prepare(b"a text").keys()


def test_each_preparation_has_its_own_probe() -> None:
    assert len({each.probe_digest() for each in PREPARATIONS}) == len(PREPARATIONS)


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_the_recipe_of_an_export_prepares_what_thaw_prepares(preparation: Keyed, tmp_path: Path) -> None:
    texts = ["It's GOOD, isn't it?  Mr. A said \"no\".\n", "हिन्दी 👍 3.5 " + "long" * 20]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text)
    recipe = KIND.recipe(preparation)  # type: ignore[arg-type]
    program = (
        *("import json", "import numpy as np", *recipe.imports, recipe.code),
        f"card = {{'preprocessing': {json.loads(preparation.to_json())!r}}}",  # type: ignore[attr-defined]
        'print(json.dumps({name: value.tolist() for name, value in batch_of(["0.txt", "1.txt"]).items()}))',
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    for row, text in enumerate(texts):
        wanted = preparation.prepare(text.encode())["tokens"].tolist()
        assert found["tokens"][row][: len(wanted)] == wanted and sum(found["mask"][row]) == len(wanted)
