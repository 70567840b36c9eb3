"""Sub-words of words, by the published numbers of their hash."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.kinds.batches import stacked
from thaw.kinds.registry import preprocessing_from_json
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.subword_preprocessing import SubwordPreprocessing
from thaw.kinds.texts.subwords import bucket_of, grams_of, subwords_of

PREPROCESSING = SubwordPreprocessing(lowercase=True, shortest=3, longest=6, buckets=1000)


@pytest.mark.parametrize(("gram", "value"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)])
def test_the_hash_is_fnv_1a(gram: bytes, value: int) -> None:
    assert bucket_of(gram) == value


def test_runs_are_those_of_the_paper() -> None:
    runs = ["<wh", "whe", "her", "ere", "re>"]  # Bojanowski et al. 2017, section 3.2
    assert sorted(grams_of("where", 3, 3, 2**32)) == sorted(bucket_of(run.encode()) for run in runs)
    assert grams_of("a", 1, 1, 2**32) == (bucket_of(b"a"),), "the marks alone are no sub-words"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=1, max_size=6))
def test_each_word_has_two_rows_or_more(words: list[str]) -> None:
    parts = subwords_of(words, 3, 6, 50)
    assert parts.min() >= 0 and parts[:, 0].max() <= 50
    assert all((parts[:, 1] == place).sum() >= 2 for place in range(len(words)))


def batch_of(*texts: str) -> dict[str, torch.Tensor]:
    batch = stacked([PREPROCESSING.prepare(text.encode()) for text in texts])
    assert not isinstance(batch, torch.Tensor)
    return dict(batch)


def test_the_preprocessing_survives_its_json() -> None:
    assert preprocessing_from_json(PREPROCESSING.to_json()) == PREPROCESSING
    other = SubwordPreprocessing(lowercase=True, shortest=3, longest=5, buckets=1000)
    assert other.probe_digest() != PREPROCESSING.probe_digest()
    blank = PREPROCESSING.blank()
    assert {name: tensor.dtype for name, tensor in blank.items()} == {
        name: tensor[0].dtype for name, tensor in batch_of("one two").items()
    }


def test_the_recipe_of_an_export_prepares_what_thaw_prepares(tmp_path: Path) -> None:
    texts = ["It's GOOD, isn't it?", "हिन्दी 👍 3.5"]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text)
    recipe = KIND.recipe(PREPROCESSING)
    program = (
        *("import json", "import numpy as np", *recipe.imports, recipe.code),
        f"card = {{'preprocessing': {json.loads(PREPROCESSING.to_json())!r}}}",
        'print(json.dumps({name: value.tolist() for name, value in batch_of(["0.txt", "1.txt"]).items()}))',
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {name: value.tolist() for name, value in batch_of(*texts).items()}
