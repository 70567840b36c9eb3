"""The flow `pretrain` on a real server: the backbone, and its card in Prefect's pages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_corpus import write_corpus
from toy import build_toy, environment

pytestmark = pytest.mark.slow

RUN = """
import json
from flows.project.environment import enter_project
enter_project()
from prefect.artifacts import Artifact
from flows.runs.pretrain import pretrain
record = pretrain(encoder="cooccurrence", corpus=["notes.txt"], out="notes.safetensors", settings=["dim=8"])
print(json.dumps({"architecture": record.architecture, "card": Artifact.get("pretrained").data}))
"""


def test_it_writes_a_backbone_and_publishes_its_card(tmp_path: Path, prefect: str) -> None:
    root = build_toy(tmp_path / "toy")
    write_corpus(root / "notes.txt")
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=root,
        env=environment() | {"PYTHONPATH": str(Path.cwd()), "PREFECT_API_URL": prefect},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["architecture"] == "word_vectors-116x8" and (root / "notes.safetensors").is_file()
    assert told["card"].strip() == (root / "notes.md").read_text().strip()
