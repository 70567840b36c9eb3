"""Real weights, real photographs, the given folders."""

import json
from pathlib import Path

import pytest
from documented import DOCS, block_with, filled_in
from project import Project

pytestmark = pytest.mark.slow


def test_hymenoptera_offline_by_two_overrides(project: Project, real_data: Path) -> None:
    copy, override, run = filled_in(
        block_with(DOCS / "backbones.md", "cp examples/hymenoptera.yaml"), {"FOLDER": str(real_data)}
    ).splitlines()
    project.run(*copy.split())
    project.run(*override.split())
    # Fine-tuning is tried, for half a minute and one epoch.
    project.set("evaluate.baselines=[majority]", "finetune.epochs=1", "strategy.minutes=0.5")
    output = project.run(*run.split())
    test = project.metrics()["test"]
    assert test["n"] == 153
    assert round(test["accuracy"] * test["n"]) >= 145, output
    advice = json.loads((project.root / "data/advice.json").read_text())
    options = {option["strategy"]["kind"]: option for option in advice["options"]}
    assert advice["followed"]["predicted"]["value"] >= options["linear"]["accuracy"]["value"] - 0.005
    assert "The 153 test images alone" in output and "they cannot rank strategies" in output
