"""InferSent learns the labels of pairs, keeps its word vectors, and refuses what it cannot learn from."""

import os
from pathlib import Path

import pytest
import torch
from made_up_corpus import write_corpus, write_pairs
from project import ROOT

from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import settings_of
from thaw.pretraining.texts.pretraining import Order, pretrain


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    corpus, out = write_corpus(folder / "made_up.txt", 200), folder / "words.safetensors"
    pretrain(Order("cooccurrence", Corpus((corpus,)), settings_of("cooccurrence", {"dim": "12"}), out))
    return out


def order(pairs: Path, words: Path, out: Path, **changed: str) -> Order:
    given = {"words": str(words), "cell": "8", "hidden": "8", "epochs": "2"} | changed
    return Order("infersent", Corpus((pairs,)), settings_of("infersent", given), out)


def test_its_words_stay_and_it_keeps_them_all(words: Path, tmp_path: Path) -> None:
    pairs, out = write_pairs(tmp_path / "pairs.jsonl", 60), tmp_path / "a.safetensors"
    record = pretrain(order(pairs, words, out))
    learnt, given = read_weights(out), read_weights(words)
    assert record.architecture == learnt.metadata["architecture"] == "infersent-116x12-8"
    assert learnt.metadata["preprocessing"] == given.metadata["preprocessing"]
    for name in ("keys", "vectors"):
        assert torch.equal(learnt.tensors[f"embeddings.{name}"], given.tensors[name])


def test_it_learns_labels_of_real_pairs(tmp_path: Path) -> None:
    """It is tested on the pairs that it learnt from: that the loss falls far below chance shows that labels stand beside their own sentences."""
    folder = os.environ.get("THAW_REAL_DATA")
    if not folder:
        pytest.skip("THAW_REAL_DATA names no folder with real pairs")
    rows = (Path(folder) / "text/sets/snli/dev.tsv").read_text(encoding="utf-8").splitlines()[:300]
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("\n".join(["gold_label\tsentence1\tsentence2", *rows]), encoding="utf-8")
    shipped = ROOT / "data/pretrain/texts/words.safetensors"
    record = pretrain(
        order(pairs, shipped, tmp_path / "a.safetensors", cell="32", epochs="12", batch_size="32", learning_rate="0.01")
    )
    assert record.losses[0][1] > 1.0 and record.losses[-1][1] < 0.5
    assert "it tells" in record.notes[0] and "contradiction, entailment, neutral" in record.notes[0]


def test_what_it_cannot_learn_from_is_told(words: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    pairs = write_pairs(tmp_path / "pairs.jsonl", 60)
    with pytest.raises(BadWeights, match="is no backbone of word vectors"):
        pretrain(order(pairs, ROOT / "data/pretrain/small.safetensors", out))
    alike = tmp_path / "alike.jsonl"
    alike.write_text(pairs.read_text().replace('"other"', '"alike"'))
    with pytest.raises(BadParameters, match="all pairs have the label alike"):
        pretrain(order(alike, words, out))
    assert not out.exists()
