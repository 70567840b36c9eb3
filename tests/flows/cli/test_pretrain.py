"""`thaw pretrain`, as a user gives it."""

import json
import lzma
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documented import DOCS, block_with
from made_up_corpus import made_up_lines, write_corpus, write_pairs
from ruamel.yaml import YAML
from toy import build_toy
from typer.testing import CliRunner

from flows.cli.app import app


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text("dataset: {source: reviews.csv, kind: texts}\n")
    monkeypatch.chdir(root)
    return root


def test_the_commands_of_the_page(project: Path) -> None:
    (project / "notes.txt.xz").write_bytes(lzma.compress("\n".join(made_up_lines(100)).encode()))
    pq.write_table(pa.table({"text": made_up_lines(100, seed=1)}), project / "letters.parquet")
    for line in block_with(DOCS / "texts.md", "thaw pretrain").splitlines():
        told = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
        assert told.exit_code == 0, told.output
        if line.startswith("thaw pretrain"):
            assert "1,200 sentences with 8,400 words; 116 of 116 different words are known" in told.output
            assert (
                "have their neighbour among the most similar tenth" in told.output and "card: notes.md" in told.output
            )
    assert YAML(typ="safe").load((project / "params.yaml").read_text())["backbone"]["weights"] == "notes.safetensors"
    assert "`notes.txt.xz`, `letters.parquet`" in (project / "notes.md").read_text()


def test_settings_and_json(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "made_up.txt")
    command = [
        "pretrain",
        "--encoder",
        "cooccurrence",
        "--corpus",
        str(corpus),
        "--out",
        str(tmp_path / "a.safetensors"),
    ]
    told = CliRunner().invoke(app, [*command, "--set", "dim=8", "--set", "window=3", "--json"])
    record = json.loads(told.stdout)
    assert record["architecture"] == "word_vectors-116x8" and record["settings"]["window"] == 3


def test_encoders_that_learn_from_another_backbone(tmp_path: Path) -> None:
    corpus, pairs = write_corpus(tmp_path / "made_up.txt"), write_pairs(tmp_path / "pairs.jsonl")
    words, small, sentences = (tmp_path / f"{name}.safetensors" for name in ("words", "small", "sentences"))
    for line in (
        f"--encoder cooccurrence --corpus {corpus} --out {words} --set dim=12",
        f"--encoder distilled --corpus {corpus} --out {small} --teacher {words} --set dim=8",
        f"--encoder infersent --corpus {pairs} --out {sentences} --words {words} --set cell=4 --set epochs=1",
    ):
        told = CliRunner().invoke(app, ["pretrain", *shlex.split(line)])
        assert told.exit_code == 0, told.output
    assert "infersent-116x12-4" in told.output


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            ["--encoder", "glove"],
            "glove is none that is pretrained here; there are quick_thought, cooccurrence, distilled",
        ),
        (["--kind", "sounds"], "--kind: sounds given; encoders of texts are pretrained"),
        (["--set", "dimm=8"], "dimm: 8 given"),
        (["--teacher", "a.safetensors"], "teacher: a.safetensors given"),
        (["--encoder", "distilled"], "teacher is missing"),
        (["--out", "a.pth"], "a.pth does not end in .safetensors"),
        (["--corpus", "gone.txt"], "gone.txt is no file"),
    ],
)
def test_what_cannot_be_pretrained_is_told_in_one_line(tmp_path: Path, changed: list[str], says: str) -> None:
    corpus = write_corpus(tmp_path / "made_up.txt")
    command = [
        "pretrain",
        "--encoder",
        "quick_thought",
        "--corpus",
        str(corpus),
        "--out",
        str(tmp_path / "a.safetensors"),
    ]
    told = CliRunner().invoke(app, [*command, *changed])
    assert told.exit_code == 1 and says in told.output and told.output.count("\n") == 1
    assert not (tmp_path / "a.safetensors").exists()
