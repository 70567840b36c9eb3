"""Real weights, real photographs, the given folders."""

from pathlib import Path

import pytest
from project import Project

pytestmark = pytest.mark.slow


def test_hymenoptera_offline_by_two_overrides(project: Project, real_data: Path) -> None:
    project.run("cp", "examples/hymenoptera.yaml", "params.yaml")
    project.set(
        f"dataset.source={real_data / 'hymenoptera'}",
        f"backbone.weights={real_data / 'mobilenet_v2-imagenet.pth'}",
    )
    project.set("evaluate.baselines=[majority]")
    output = project.run("thaw", "run")
    test = project.metrics()["test"]
    assert test["n"] == 153
    assert round(test["accuracy"] * test["n"]) >= 145, output
