"""`thaw convert`, as a user gives it."""

import json
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from documented import DOCS, block_with
from encoder_folders import sentence_folder
from file_server import serving
from typer.testing import CliRunner

from flows.cli.app import app
from thaw.backbones.converting import official_files
from thaw.backbones.converting.official_files import OfficialFiles


def test_vectors_become_a_backbone(real_data: Path, tmp_path: Path) -> None:
    source, out = real_data / "text/gensim/test_glove.txt", tmp_path / "glove.safetensors"
    told = CliRunner().invoke(app, ["convert", str(source), str(out)])
    assert told.exit_code == 0 and "76 words, 50 dimensions" in told.output
    assert f"thaw config set backbone.weights={out}" in told.output.replace("\n", "") and out.stat().st_size > 76 * 200
    again = CliRunner().invoke(app, ["convert", str(source), str(tmp_path / "b.safetensors"), "--json"])
    assert json.loads(again.stdout)["architecture"] == "word_vectors-76x50"
    assert (tmp_path / "b.safetensors").read_bytes() == out.read_bytes(), "the same file gives the same bytes"


def test_what_cannot_be_converted_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no vectors at all\n")
    told = CliRunner().invoke(app, ["convert", str(tmp_path / "a.txt"), str(tmp_path / "out.safetensors")])
    assert (
        told.exit_code == 1
        and "holds no network and no word vectors" in told.output
        and not (tmp_path / "out.safetensors").exists()
    )
    told = CliRunner().invoke(app, ["convert", str(tmp_path / "a.txt"), str(tmp_path / "out.pth")])
    assert told.exit_code == 2 and "does not end in .safetensors" in told.output


def test_a_name_is_downloaded_with_its_licence_and_size_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "served" / "small").mkdir(parents=True)
    sentence_folder(tmp_path / "served/small/tiny")
    with serving(tmp_path / "served") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        told = CliRunner().invoke(app, ["convert", "small/tiny", str(tmp_path / "tiny.safetensors")])
    assert told.exit_code == 0, told.output
    first, *_, last = told.output.strip().splitlines()
    assert first.startswith("downloading small/tiny on Hugging Face (licence: apache-2.0, ")
    assert last == f"thaw config set backbone.weights={tmp_path / 'tiny.safetensors'}"
    again = CliRunner().invoke(app, ["convert", "small/tiny", str(tmp_path / "b.safetensors"), "--json"])
    assert again.exit_code == 0 and json.loads(again.stdout)["architecture"].startswith("bert-"), "the cache is enough"


def test_the_names_of_the_page_are_converted_from_files_laid_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    cache = tmp_path / "torch" / "hub" / "encoders"
    cache.mkdir(parents=True)
    sentence_folder(cache / "sentence-transformers--all-MiniLM-L6-v2")
    with zipfile.ZipFile(cache / "glove.6B.zip", "w") as archive:
        archive.writestr("glove.6B.50d.txt", "the 0.1 0.2 0.3\n")
    table = {name: _of_any_content(found) for name, found in official_files._TABLE.items()}
    monkeypatch.setattr(official_files, "_TABLE", table)
    for line in block_with(DOCS / "texts.md", "thaw convert glove.6B.50d glove").splitlines():
        told = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
        assert told.exit_code == 0, told.output
    assert {path.name for path in tmp_path.glob("*.safetensors")} == {"glove.safetensors", "minilm.safetensors"}


def _of_any_content(found: OfficialFiles) -> OfficialFiles:
    """The same files without their hashes."""
    return replace(found, files={name: replace(file, sha256=None) for name, file in found.files.items()})


def test_a_wrong_name_gets_similar_ones_and_a_missing_file_is_no_name(tmp_path: Path) -> None:
    out = str(tmp_path / "a.safetensors")
    told = CliRunner().invoke(app, ["convert", "glove.6B.51d", out])
    assert told.exit_code == 1 and "is no name of an encoder; names like it are glove.6B.50d" in told.output
    told = CliRunner().invoke(app, ["convert", "vectors/glove.txt", out])
    assert told.exit_code == 1 and "vectors/glove.txt does not exist" in told.output


def test_the_folder_of_an_encoder_becomes_a_backbone(tmp_path: Path) -> None:
    folder, out = sentence_folder(tmp_path / "tiny"), tmp_path / "tiny.safetensors"
    told = CliRunner().invoke(app, ["convert", str(folder), str(out)])
    assert told.exit_code == 0 and "3 layers of 16 dimensions, 18 pieces, windows of 12 pieces" in told.output
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    told = CliRunner().invoke(app, ["convert", str(folder), str(tmp_path / "b.safetensors")])
    assert told.exit_code == 1 and "a pickle, which is not read" in told.output


def test_a_checkpoint_takes_its_list_of_words_from_elsewhere(tmp_path: Path) -> None:
    files = Path(__file__).parents[2] / "fixtures/tensorflow/quick_thought_uni"
    for name in ("model.ckpt-7.index", "model.ckpt-7.data-00000-of-00001"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    out = tmp_path / "quick.safetensors"
    told = CliRunner().invoke(app, ["convert", str(tmp_path), str(out)])
    assert told.exit_code == 1 and "give the network's list of words with --words" in told.output
    told = CliRunner().invoke(app, ["convert", str(tmp_path), str(out), "--words", str(files / "vocab.txt")])
    assert told.exit_code == 0 and "12 words; two encoders of 3 numbers each" in told.output and out.is_file()
