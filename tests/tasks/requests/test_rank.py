"""What `thaw rank` does, on pictures that the earlier stages took."""

import shutil
from pathlib import Path

import pytest
from registration import inside
from stage_runs import run_stage
from written import written

from tasks.project.paths import FEATURES, FEATURES_INDEX, MANIFEST
from tasks.requests.rank import PAGE, RANKING, rank
from tasks.stages import extract, ingest
from thaw.dataset.manifest import TEST, read_manifest
from thaw.features.store.store import FeatureStore, read_index
from thaw.features.store.upkeep import cached_layers, delete, find_garbage
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.strategies.backbone_ranking import Ranking

NAMES = ("small.safetensors", "resnet18.random")


@pytest.fixture(scope="module")
def template(built_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures, ranked once; the pipeline has extracted features of its own backbone before."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("template") / "project"))
    with inside(root):
        rank(NAMES)
    return root


def rows_of(architecture: str) -> set[bytes]:
    store = FeatureStore(FEATURES)
    (layer,) = [one.layer for one in cached_layers(store) if one.architecture == architecture]
    return set(store.digests(layer.fingerprint, layer.name).to_pylist())


def test_both_are_ranked_with_their_price(project: Path) -> None:
    ranking = written(Ranking, RANKING)
    by_name = {one.name: one for one in ranking.backbones}
    assert set(by_name) == {*NAMES, "raw pixels"} and not ranking.unranked
    assert ranking.rows == ranking.labelled == 16
    assert by_name["resnet18.random"].weights == "data/weights/resnet18.random.pth"
    assert by_name["resnet18.random"].megabytes > 40 > by_name["small.safetensors"].megabytes
    assert all(one.images_per_second and one.operations for one in ranking.backbones)
    assert f"Take {ranking.recommended.name}" in PAGE.read_text()


def test_what_the_run_has_is_not_computed_again_and_the_test_is_not_touched(project: Path) -> None:
    computed = {one.name: one.computed for one in written(Ranking, RANKING).backbones}
    assert computed == {"small.safetensors": 0, "resnet18.random": 16, "raw pixels": 16}
    test = {example.digest for example in read_manifest(MANIFEST).examples() if example.split == TEST}
    assert test and not test & rows_of("resnet18")
    again = rank(NAMES)
    assert [one.computed for one in again.backbones if not one.is_plain] == [0, 0]
    first = written(Ranking, RANKING)
    assert [one.accuracy for one in again.backbones] == [one.accuracy for one in first.backbones]


def test_the_one_that_is_chosen_costs_the_run_only_the_test_and_the_others_are_cleared(project: Path) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("small.safetensors", "data/weights/resnet18.random.pth"))
    parts = set(FEATURES.rglob("part-*.parquet"))
    run_stage(extract)
    (new,) = set(FEATURES.rglob("part-*.parquet")) - parts
    assert len(rows_of("resnet18")) == 56
    digests = frozenset(read_manifest(MANIFEST).digests)
    needed = {(layer.fingerprint, layer.name): digests for layer in read_index(FEATURES_INDEX).layers}
    garbage = find_garbage(FeatureStore(FEATURES), needed)
    delete(garbage)
    assert new.exists() and len(garbage.paths) == 1
    assert {one.architecture for one in cached_layers(FeatureStore(FEATURES))} == {"resnet18"}


def test_ranked_and_not_chosen_is_garbage(project: Path) -> None:
    digests = frozenset(read_manifest(MANIFEST).digests)
    needed = {(layer.fingerprint, layer.name): digests for layer in read_index(FEATURES_INDEX).layers}
    delete(find_garbage(FeatureStore(FEATURES), needed))
    assert [one.architecture for one in cached_layers(FeatureStore(FEATURES))] == ["thaw_small"]


def test_one_that_cannot_be_used_is_told_of_and_the_others_go_on(project: Path) -> None:
    Path("broken.pth").write_bytes(b"no weights")
    told: list[tuple[int, int]] = []
    ranking = rank([*NAMES, "resnet81", "broken.pth"], lambda done, total: told.append((done, total)))
    assert [one.name for one in ranking.unranked] == ["resnet81", "broken.pth"]
    assert "resnet18" in ranking.unranked[0].reason and "broken.pth" in ranking.unranked[1].reason
    assert [one.is_plain for one in ranking.backbones].count(True) == 1 and len(ranking.backbones) == 3
    assert told[-1] == (64, 64) and told == sorted(told)


def test_a_backbone_beyond_the_minutes_is_left_out_with_its_time_and_what_is_cached_costs_nothing(
    project: Path,
) -> None:
    ranking = rank([*NAMES, "squeezenet1_1.random"], minutes=0)
    assert [one.name for one in ranking.left_out] == ["squeezenet1_1.random"]
    assert "16 examples" in ranking.left_out[0].reason and "raise --minutes" in ranking.left_out[0].reason
    assert {one.name for one in ranking.backbones} == {*NAMES, "raw pixels"}


def test_without_names_the_projects_own_is_ranked_with_what_lies_on_this_machine(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert [one.name for one in rank([""], minutes=0).backbones if not one.is_plain] == ["small.safetensors"]
    assert [one.name for one in written(Ranking, RANKING).left_out] == ["thaw_small"]


@pytest.mark.parametrize("names", [["resnet18.random"], ["resnet18.random", " resnet18.random ", ""]])
def test_one_is_no_ranking(project: Path, names: list[str]) -> None:
    with pytest.raises(BadParameters, match="two backbones"):
        rank(names)


def test_where_none_can_be_used_every_reason_is_given(project: Path) -> None:
    before = RANKING.read_bytes()
    with pytest.raises(BadWeights, match=r"gone\.pth(.|\n)*resnet81"):
        rank(["gone.pth", "resnet81"])
    assert RANKING.read_bytes() == before


@pytest.mark.slow
def test_mobilenet_from_photographs_leads_on_photographs(tmp_path: Path, real_data: Path) -> None:
    weights = real_data / "mobilenet_v2-imagenet.pth"
    source = real_data / "hymenoptera"
    with inside(tmp_path):
        Path("params.yaml").write_text(
            f"dataset: {{source: {source}, labels_per_class: 20}}\nbackbone: {{weights: {weights}}}\nstrategy: {{repeats: 1}}\n"
        )
        run_stage(ingest)
        ranking: Ranking = rank([str(weights), "mobilenet_v2.random"])
    best, other = (one for one in ranking.backbones if not one.is_plain)
    assert best.name == str(weights) and best.accuracy.value > 0.85
    assert other.behind_best is not None and other.behind_best.high < 0
