"""Long texts: nothing of them is cut off, and what is read in windows or not known is counted."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.vector_files import Vectors
from thaw.backbones.converting.word_backbones import backbone_of_vectors
from thaw.backbones.weights import write_weights
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.dataset.selection import examples_of
from thaw.features.extraction.extraction import Extraction, extract
from thaw.features.store.coverage import Coverage, sentences
from thaw.features.store.store import FeatureStore, read_index, write_index
from thaw.foundation.errors import BadArtifact
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

LENGTH, WINDOW, CLASSES = 2000, 64, ("early", "late")
COMMON = [f"word{number}" for number in range(200)]
CUES = {label: [f"{label}{number}" for number in range(8)] for label in CLASSES}
"""Words that tell the label."""
SPECIAL = ("[UNK]", "[CLS]", "[SEP]")


def encoder(folder: Path, *, cut: bool = False) -> Backbone:
    """An encoder of one layer with random weights. cut: whether its tokenizer takes a window and drops the rest, as such tokenizers usually do."""
    words = [*SPECIAL, *COMMON, *CUES["early"], *CUES["late"]]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    if cut:
        tokenizer.enable_truncation(WINDOW)
    name = f"bert-{len(words)}x32-1x2x32-{WINDOW}-gelu-eps12-mean"
    preprocessing = PiecePreprocessing(tokenizer.to_str(), WINDOW)
    network = build_seeded(name, 1, 0)
    torch.nn.init.normal_(network.embeddings.pieces.weight, generator=torch.Generator().manual_seed(0))  # type: ignore[union-attr, arg-type]
    file = folder / f"encoder-{cut}.safetensors"
    write_weights(file, network.state_dict(), {"architecture": name, "preprocessing": preprocessing.to_json()})
    return read_backbone(BackboneParams(weights=str(file)))


def texts(count: int) -> list[tuple[str, str]]:
    """Texts of 2,000 words and their labels; every second word of the last tenth is a cue."""
    chance = np.random.default_rng(0)
    made = []
    for number in range(count):
        label = CLASSES[number % 2]
        words = list(chance.choice(COMMON, LENGTH))
        end = LENGTH - LENGTH // 10
        words[end::2] = list(chance.choice(CUES[label], LENGTH // 20))
        made.append((" ".join(words), label))
    return made


def written(folder: Path, rows: Sequence[tuple[str, str]]) -> Path:
    table = folder / "texts.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        splits = ["train" if number < len(rows) // 2 else "test" for number in range(len(rows))]
        lines = ((text, label, split) for (text, label), split in zip(rows, splits, strict=True))
        csv.writer(file).writerows([("text", "label", "split"), *lines])
    return table


def extracted(table: Path, backbone: Backbone, store: FeatureStore) -> Extraction:
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    return extract(
        manifest, Places(table), backbone, store, ExtractParams(precision="float32", engine="torch"), limits=Limits()
    )


def accuracy(rows: Sequence[tuple[str, str]], backbone: Backbone, folder: Path) -> float:
    """Of a linear head on cached features, tested on the second half of the rows."""
    folder.mkdir()
    table, store = written(folder, rows), FeatureStore(folder / "features")
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    layer = extracted(table, backbone, store).index.layer(None)
    parts = {}
    for split in ("train", "test"):
        examples = examples_of(manifest, split)
        targets = torch.tensor([CLASSES.index((each.names or ("",))[0]) for each in examples])
        features = store.read(layer.fingerprint, layer.name, [each.digest for each in examples])
        parts[split] = LabelledFeatures(features, targets, CLASSES)
    head = fit_head(parts["train"], None, HeadParams(l2=(0.01, 0.1), folds=3))
    return float((head.logits(parts["test"].features).argmax(1) == parts["test"].targets).float().mean())


def test_a_label_whose_only_cue_stands_in_the_last_tenth_is_learnt(tmp_path: Path) -> None:
    rows = texts(80)
    assert all(set(text.split()[: LENGTH - LENGTH // 10]) <= set(COMMON) for text, _ in rows)
    assert accuracy(rows, encoder(tmp_path), tmp_path / "whole") >= 0.9


def test_a_cut_text_would_lose_it(tmp_path: Path) -> None:
    """The same texts without their last tenth, and by a tokenizer that cuts: the test above can fail."""
    rows = texts(80)
    start = [(" ".join(text.split()[: LENGTH - LENGTH // 10]), label) for text, label in rows]
    assert accuracy(start, encoder(tmp_path), tmp_path / "start") < 0.75
    assert accuracy(rows, encoder(tmp_path, cut=True), tmp_path / "cut") < 0.75


def test_texts_that_are_read_in_windows_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lengths = (1, WINDOW - 2, WINDOW - 1, 3 * WINDOW, 5)
    rows = [(" ".join((COMMON * 2)[:length]), CLASSES[length % 2]) for length in lengths]
    table, store = written(tmp_path, rows), FeatureStore(tmp_path / "features")
    with caplog.at_level("INFO"):
        index = extracted(table, encoder(tmp_path), store).index
    assert index.coverage == Coverage(WINDOW, 2, 5)
    assert "2 of 5 texts are longer than the 64 pieces that the backbone takes at once" in caplog.text
    again = extracted(table, encoder(tmp_path), store)
    assert again.index == index and again.computed == 0, "the counts are of all texts, not of new ones"
    write_index(index, tmp_path / "features.json")
    assert read_index(tmp_path / "features.json") == index


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_unknown_words_are_counted(tmp_path: Path, share: float, caplog: pytest.LogCaptureFixture) -> None:
    known = COMMON[:100]
    weights = backbone_of_vectors(Vectors(known, np.ones((100, 4), np.float32), 0))
    write_weights(tmp_path / "words.safetensors", weights.tensors, weights.metadata)
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "words.safetensors")))
    strange = [f"strange{number}" for number in range(100)]
    rows = [
        (
            " ".join([*known[number:][: round(10 * (1 - share))], *strange[number:][: round(10 * share)]]),
            CLASSES[number % 2],
        )
        for number in range(20)
    ]
    with caplog.at_level("INFO"):
        index = extracted(written(tmp_path, rows), backbone, FeatureStore(tmp_path / "features")).index
    assert index.coverage == Coverage(unknown=share, sample=20)
    told = next(record for record in caplog.records if "have no vector and do not count" in record.message)
    assert told.message.startswith(f"{share:.1%} of the words in a sample of 20 texts")
    assert told.levelname == ("WARNING" if share > 0.2 else "INFO")


def test_the_sentences_are_grammatical_and_say_what_was_not_looked_at() -> None:
    words = KIND.words
    assert list(sentences(Coverage(256, 1, 3), words, 3)) == [
        "1 of 3 texts is longer than the 256 pieces that the backbone takes at once, and is read in windows that overlap; nothing is cut off"
    ]
    assert next(sentences(Coverage(8, 10_000, 10_000), words, 20_000)).startswith(
        "10,000 or more of 20,000 texts are longer"
    )
    assert next(sentences(Coverage(8, 10, 10), words, 10)).startswith("10 of 10 texts are")
    assert list(sentences(Coverage(), words, 3)) == []


def test_an_index_with_other_counts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "features.json").write_text('{"layers": [], "coverage": {"other": 1}}')
    with pytest.raises(BadArtifact, match="cannot be read as a feature index"):
        read_index(tmp_path / "features.json")
