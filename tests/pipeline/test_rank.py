"""`thaw rank` in a fresh project, and the way from its winner to a run."""

import json
import re

import pytest
from project import Project

pytestmark = pytest.mark.slow


def test_from_the_ranking_to_the_cache_of_the_winner_alone(project: Project) -> None:
    project.set("backbone.weights=data/weights/resnet18.random.pth")
    said = project.run("thaw", "rank", "--backbones", "resnet18.random,thaw_small,resnet81")
    assert "resnet81 could not be ranked" in said and "the test examples were not looked at" in said
    assert said.index("thaw_small") < said.index("resnet18.random ")
    ranking = json.loads((project.root / "data/ranking.json").read_text())
    assert [one["computed"] for one in ranking["backbones"]] == [50, 50, 50], "two backbones, and the model without one"
    found = re.search(r"thaw config set (backbone\.weights=\S+)", said)
    assert found is not None and found[1] == "backbone.weights=data/weights/thaw_small.safetensors"
    project.set(found[1])
    project.run("thaw", "run", "--stage", "extract")
    before = project.parts()
    project.run("thaw", "cache", "gc")
    gone = set(before) - set(project.parts())
    assert len(gone) == 1 and project.json("cache", "ls")["layers"][0]["architecture"] == "thaw_small"
