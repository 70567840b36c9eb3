"""A network with two towers goes through the stages: its class names are a head, without a label and beside heads that learn."""

from pathlib import Path

import pytest
import torch
from dual_towers import lay_dual
from registration import inside
from stage_runs import run_stage
from written import written

from tasks.project.paths import ADVICE, ADVICE_PAGE, CERTIFICATE, HEAD, REPORT, STRATEGY
from tasks.stages import advise, compare, extract, finetune, head, ingest
from tasks.stages.evaluate import stage as evaluate
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.text_towers import text_tower_of
from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.heads import read_head
from thaw.heads.logistic import LogisticModel
from thaw.params.values.places import tower_place
from thaw.params.values.strategy import read_strategy
from thaw.strategies.advice.record import Advice
from thaw.strategies.certificate.record import read_certificate

PARAMS = """\
dataset: {source: photos}
backbone: {weights: own.safetensors, layers: [blocks]}
strategy: {kind: zero_shot, minutes: 0, repeats: 1, prompts: ["a photo of a {label}.", "the {label}"]}
head: {l2: [0.1], folds: 2}
evaluate: {baselines: [majority, pixels], seeds: 1, maps: 0}
compare: {strategies: [zero_shot], seeds: 2, minutes: 0}
statistics: {bootstrap: 50}
"""


@pytest.fixture(scope="module")
def project(built_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of dark, and of light and bright things, with a tiny CLIP, up to the report."""
    root = tmp_path_factory.mktemp("zero_shot")
    (root / "photos").symlink_to(built_project / "photos")
    lay_dual("clip", root / "clip")
    (root / "params.yaml").write_text(PARAMS)
    with inside(root):
        convert(Source(Path("clip")), Path("own.safetensors"))
        for stage in (ingest, extract, advise, head, finetune, compare, evaluate):
            run_stage(stage)
    return root


def test_it_stands_in_the_advice_where_the_curve_begins_with_the_texts_as_they_are_said(project: Path) -> None:
    with inside(project):
        advice, page = written(Advice, ADVICE), (ADVICE_PAGE / "advice.html").read_text()
        assert read_strategy(STRATEGY).kind == "zero_shot" and read_strategy(STRATEGY).layer == "joint"
    (option,) = [each for each in advice.options if each.strategy.kind == "zero_shot"]
    assert option.accuracy is not None and option.gain is not None and option.rows == 16
    assert advice.curve is not None and advice.curve.unlearnt is not None and advice.curve.unlearnt.labels == 0
    said = [text for label in ("dark", "light and bright") for text in (f"a photo of a {label}.", f"the {label}")]
    assert advice.texts == tuple(said)
    assert "“the light and bright”" in page and "Without any label" in page


def test_the_head_is_the_towers_and_is_served_without_it(project: Path) -> None:
    with inside(project):
        fitted = read_head(HEAD)
        tower = text_tower_of(Path("own.safetensors"))
        assert (REPORT / "report.html").exists()
        certificate = read_certificate(CERTIFICATE)
    model = fitted.model
    assert isinstance(model, LogisticModel) and tower is not None and fitted.class_names == ("dark", "light and bright")
    means = tower.embed(["a photo of a dark.", "the dark"]).mean(0)
    wanted = tower.scale * torch.nn.functional.normalize(means, dim=0)
    assert torch.allclose(model.weights[0], wanted, atol=1e-5)
    assert certificate is not None
    accuracies = certificate.entry("zero-shot").accuracies
    assert len(accuracies) == 2 and accuracies[0] == accuracies[1], "it learns from no draw"


def test_a_backbone_without_its_tower_says_so_before_and_in_the_stage(project: Path, tmp_path: Path) -> None:
    with inside(project):
        place = tower_place(Path("own.safetensors"))
        away = place.rename(tmp_path / "away")
        try:
            with pytest.raises(BadArtifact, match="no text tower beside it"):
                run_stage(head)
            with pytest.raises(BadParameters, match="zero_shot needs a backbone with a text tower"):
                run_stage(advise)
        finally:
            away.rename(place)
