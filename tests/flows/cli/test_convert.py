"""`thaw convert`, as a user gives it."""

import json
from pathlib import Path

from encoder_folders import sentence_folder
from typer.testing import CliRunner

from flows.cli.app import app


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


def test_the_folder_of_an_encoder_becomes_a_backbone(tmp_path: Path) -> None:
    folder, out = sentence_folder(tmp_path / "tiny"), tmp_path / "tiny.safetensors"
    told = CliRunner().invoke(app, ["convert", str(folder), str(out)])
    assert told.exit_code == 0 and "3 layers of 16 dimensions, 18 pieces, windows of 12 pieces" in told.output
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    told = CliRunner().invoke(app, ["convert", str(folder), str(tmp_path / "b.safetensors")])
    assert told.exit_code == 1 and "a pickle, which is not read" in told.output
