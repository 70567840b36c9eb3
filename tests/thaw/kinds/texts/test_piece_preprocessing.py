"""Texts in pieces, as a preprocessing and by the program in an export's README."""

import json
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
import torch
from encoder_folders import LONG, tiny_tokenizer
from tokenizers import Tokenizer

from thaw.foundation.errors import BadExample, BadParameters
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import stacked
from thaw.kinds.kind import Limits
from thaw.kinds.registry import preprocessing_from_json
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.tokenizers import tokenizer_from


def text_of(tokenizer: Tokenizer) -> str:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    text: str = tokenizer.to_str()
    return text


PREPROCESSING = PiecePreprocessing(tokenizer=text_of(tiny_tokenizer()), max_tokens=12)


def test_it_survives_its_json_and_is_short_in_messages() -> None:
    assert preprocessing_from_json(PREPROCESSING.to_json()) == PREPROCESSING
    assert repr(PREPROCESSING) == "PiecePreprocessing(max_tokens=12)"
    other = PiecePreprocessing(tokenizer=PREPROCESSING.tokenizer, max_tokens=8)
    assert other.probe_digest() != PREPROCESSING.probe_digest()
    with pytest.raises(BadParameters, match="texts are always read exactly"):
        PREPROCESSING.with_decoding("scaled")
    with pytest.raises(TypeError):
        preprocessing_from_json('{"kind": "texts", "form": "pieces"}')


def test_the_reader_of_the_kind_prepares_them() -> None:
    reader = KIND.reader(PREPROCESSING, Limits(), MemoryBound(1 << 30))
    prepared = reader.prepare(b"The cat sat")
    assert not isinstance(prepared, torch.Tensor)
    assert prepared["tokens"].tolist() == [2, 4, 5, 6, 3] and prepared["mask"].all()
    with pytest.raises(BadExample, match="is empty"):
        reader.prepare(b"")
    batch = stacked([prepared, PREPROCESSING.blank()])
    assert PREPROCESSING.mask(batch).sum(1).tolist() == [5, 8]


def test_threads_share_one_tokenizer() -> None:
    found: list[Tokenizer] = []
    threads = [Thread(target=lambda: found.append(tokenizer_from(PREPROCESSING.tokenizer))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len({id(each) for each in found}) == 1


def test_a_tokenizer_of_the_future_says_what_to_do() -> None:
    broken = PiecePreprocessing(tokenizer='{"version": "9.0"}', max_tokens=12)
    with pytest.raises(BadParameters, match=r"cannot read the backbone's tokenizer .*install a newer one"):
        broken.prepare(b"a")


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    other = PiecePreprocessing(tokenizer=PREPROCESSING.tokenizer + " ", max_tokens=12)
    with pytest.raises(BadParameters, match=r"run `pip install 'thaw\[texts\]'`"):
        other.prepare(b"a")


def test_the_recipe_of_an_export_prepares_what_thaw_prepares(tmp_path: Path) -> None:
    texts = ["It's GOOD, isn't it?", LONG, "日本"]
    names = [f"{number}.txt" for number in range(len(texts))]
    for name, text in zip(names, texts, strict=True):
        (tmp_path / name).write_text(text)
    (tmp_path / "card.json").write_text(json.dumps({"preprocessing": json.loads(PREPROCESSING.to_json())}))
    recipe = KIND.recipe(PREPROCESSING)
    assert recipe.packages == ("tokenizers",)
    program = (
        *("import json", "import numpy as np", *recipe.imports, recipe.code),
        'card = json.load(open("card.json"))',
        f"print(json.dumps({{name: value.tolist() for name, value in batch_of({names}).items()}}))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    wanted = stacked([PREPROCESSING.prepare(text.encode()) for text in texts])
    assert not isinstance(wanted, torch.Tensor)
    assert json.loads(done.stdout) == {name: value.tolist() for name, value in wanted.items()}
