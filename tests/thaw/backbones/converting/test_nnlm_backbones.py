"""Modules of word vectors that TensorFlow wrote, beside TensorFlow's own answers (`tests/fixtures/tensorflow`)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from thaw.backbones.backbone import read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.saved_models import read_operations
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.spaced_preprocessing import SpacedPreprocessing
from thaw.params.sections import BackboneParams

FILES = Path(__file__).parents[3] / "fixtures/tensorflow"
MODULES = {
    "nnlm_hub_1": SpacedPreprocessing(punctuation=True, empty=False),
    "nnlm_hub_1_normalised": SpacedPreprocessing(punctuation=False, empty=False),
    "nnlm_saved_model": SpacedPreprocessing(punctuation=False, empty=True),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FILES / "nnlm_hub_1_normalised", tmp_path / "module"))


@pytest.mark.parametrize(("name", "preprocessing"), MODULES.items())
def test_features_are_tensorflows(name: str, preprocessing: SpacedPreprocessing, tmp_path: Path) -> None:
    converted = convert(Source(FILES / name), tmp_path / "out.safetensors")
    assert converted.architecture == "nnlm-10x4-7"
    kept = "punctuation stays at the words" if preprocessing.punctuation else "punctuation is taken out"
    assert converted.notes == ("10 words, 4 dimensions; 7 vectors that other words share", kept)
    backbone = read_backbone(BackboneParams(weights=str(converted.path)))
    assert backbone.preprocessing == preprocessing and backbone.layers == ("pooled",)
    wanted = json.loads((FILES / name / "expected.json").read_text())
    together = backbone.features(stacked([preprocessing.prepare(text.encode()) for text in wanted]))["pooled"]
    assert together.numpy() == pytest.approx(np.array(list(wanted.values())), abs=1e-6)


def test_operations_come_with_their_texts_and_makers() -> None:
    (replaced,) = (
        each for each in read_operations(FILES / "nnlm_hub_1_normalised") if each.type.endswith("RegexReplace")
    )
    assert rb"\pP" in replaced.texts.values()
    makers = {each.makers[1] for each in read_operations(FILES / "nnlm_hub_1") if each.type == "DynamicPartition"}
    assert makers == {"FloorMod"}


def replace_in_graph(folder: Path, old: bytes, new: bytes) -> None:
    path = folder / "saved_model.pb"
    content = path.read_bytes()
    assert old in content and len(old) == len(new)
    path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (rb"\pP", rb"\pS", r"replaces b'\\\\pS' in texts"),
        (b"SparseSegmentSqrtN", b"SparseSegmentOther", "is a SavedModel of another network"),
        (b"StringToHashBucketFast", b"StringToHashBucketSlow", "prepares texts by StringToHashBucketSlow"),
        (b"StringToHashBucketFast", b"SomethingToHashBuckets", "does not say which word has which"),
        (b"StaticRegexReplace", b"StringLowerLetters", "prepares texts by StringLowerLetters"),
    ],
)
def test_other_graphs_are_refused(copy: Path, tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    replace_in_graph(copy, old, new)
    with pytest.raises(BadWeights, match=says):
        convert(Source(copy), tmp_path / "out.safetensors")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("assets/tokens.txt", None, "holds 0 files, and the list of words should be the only one"),
        ("assets/more.txt", b"a\n", "holds 2 files"),
        ("assets/tokens.txt", b"\xff\n", "is no text in UTF-8"),
        ("assets/tokens.txt", b"word\n" * 30, "has 30 words and 17 vectors"),
        ("variables/variables.index", None, r"variables\.index is missing"),
        ("variables/variables.data-00000-of-00001", None, "is missing; it belongs to"),
        ("variables/variables.data-00000-of-00001", bytes(272), "differs from its checksum"),
        ("saved_model.pb", b"\x08\x01\x12\xff", r"saved_model\.pb is damaged"),
        ("saved_model.pb", b"", "is a SavedModel of another network"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    copy: Path, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    (copy / name).unlink() if content is None else (copy / name).write_bytes(content)
    with pytest.raises(BadWeights, match=says):
        convert(Source(copy), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
