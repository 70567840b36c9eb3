"""Texts as a kind: what is a text, what a network takes, and what a page shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from thaw.foundation.errors import BadExample, BadParameters
from thaw.kinds.batches import stacked
from thaw.kinds.kind import Limits
from thaw.kinds.registry import kind_named, preprocessing_from_json
from thaw.kinds.texts.bags import word_bags
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.padded import hidden
from thaw.kinds.texts.preview import LONGEST, SHORT
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

LIMITS = Limits(max_characters=100)
PREPROCESSING = WordPreprocessing()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t", "holds nothing but spaces"),
        (b"\xef\xbb\xbf", "holds nothing but spaces"),
        (b"a\0b", "holds NUL bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "is a Git LFS pointer"),
        (b"\xff\xfea\0", "is not UTF-8 text"),
        (b"a" * 101, "has 101 characters, and `dataset.max_characters` allows 100"),
    ],
)
def test_what_is_no_text_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(BadExample, match=reason):
        KIND.inspect(content, LIMITS)


def test_a_text_has_its_characters_as_shape() -> None:
    assert KIND.inspect("né\u0301".encode(), LIMITS).shape == (3,)
    assert text_in(b"\xef\xbb\xbfa", LIMITS) == "a"
    with pytest.raises(BadExample, match="more than any text of the 100 characters"):
        KIND.refuse_size(401, LIMITS)


def test_the_preprocessing_survives_its_json() -> None:
    for preprocessing in (WordPreprocessing(), WordPreprocessing(lowercase=False)):
        assert preprocessing_from_json(preprocessing.to_json()) == preprocessing
    assert WordPreprocessing().probe_digest() != WordPreprocessing(lowercase=False).probe_digest()
    with pytest.raises(KeyError, match="glyphs"):
        preprocessing_from_json('{"kind": "texts", "form": "glyphs"}')
    with pytest.raises(BadParameters, match="texts are always read exactly"):
        PREPROCESSING.with_decoding("scaled")


def batch_of(*texts: str) -> dict[str, torch.Tensor]:
    batch = stacked([PREPROCESSING.prepare(text.encode()) for text in texts])
    assert not isinstance(batch, torch.Tensor)
    return dict(batch)


def test_bags_hold_words_and_pairs_and_nothing_of_the_padding() -> None:
    short, long = word_bags(batch_of("good day", "a very good day"))
    assert {*short.tolist()} - {-1} <= {*long.tolist()}, "two words and their pair stand in the longer text too"
    assert (short != -1).sum() == 3 and (long != -1).sum() == 7
    alone = word_bags(batch_of("good day"))[0]
    assert {*alone.tolist()} == {*short.tolist()}


def test_hidden_words_leave_the_first_one() -> None:
    batch = batch_of("one two three four", "five")
    kept = hidden(batch, 1.0)["mask"]
    assert kept.tolist() == [[True, False, False, False], [True, False, False, False]]
    assert hidden(batch, 0.0)["mask"].equal(batch["mask"])
    assert not (KIND.augment(batch, "hide")["mask"] & ~batch["mask"]).any()  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="there is no augmentation flip"):
        KIND.augment(batch, "flip")
    with pytest.raises(BadParameters, match="texts cannot be mixed"):
        KIND.mixing(0.1, 0, 2)


def test_a_preview_is_the_beginning_cut_between_words() -> None:
    text = "alpha beta\n " * 1000
    for small, longest in ((False, LONGEST), (True, SHORT)):
        shown = KIND.preview(text.encode(), Limits(), small=small).content.decode()
        assert shown.endswith(("alpha …", "beta …")) and longest / 2 < len(shown) <= longest + 2
    assert KIND.preview(b"kurz  und\ngut", Limits()).content == b"kurz und gut"
    assert KIND.preview(b"x" * 1000, Limits(), small=True).content == b"x" * SHORT + " …".encode()


def test_a_string_is_the_text_itself_and_a_path_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert KIND.from_value("a.txt") == b"a.txt" and KIND.from_value(tmp_path / "a.txt") == b"hello"
    assert KIND.from_value(KIND.example_value) == b"A short text." and KIND.from_value(b"x") == b"x"
    with pytest.raises(BadExample, match="is given as list"):
        KIND.from_value([1, 2])


def test_made_up_texts_differ_and_are_texts() -> None:
    samples = KIND.samples(20)
    assert len(set(samples)) == 20 and all(KIND.inspect(each, Limits()).format == "UTF-8" for each in samples)
    assert kind_named("texts") is KIND


def test_the_recipe_of_an_export_prepares_what_thaw_prepares(tmp_path: Path) -> None:
    texts = ["It's GOOD, isn't it?", "日本 and हिन्दी 👍 3.5"]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text)
    recipe = KIND.recipe(PREPROCESSING)
    program = (
        *("import json", "import numpy as np", *recipe.imports, recipe.code),
        'card = {"preprocessing": {"lowercase": True}}',
        'print(json.dumps({name: value.tolist() for name, value in batch_of(["0.txt", "1.txt"]).items()}))',
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {name: value.tolist() for name, value in batch_of(*texts).items()}
