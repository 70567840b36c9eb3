"""Projects that older code has left: features are kept, and records are read."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from registration import inside
from stage_runs import run_stage
from written_before import EXPECTED, lay_weights, unpack

from tasks.stages import extract, ingest
from thaw.finetuning.result import read_finetuned
from thaw.params.values.strategy import read_strategy
from thaw.strategies.advice.record import read_predicted
from thaw.strategies.advice.size import Size
from thaw.strategies.certificate.record import read_certificate

PARAMS = "dataset: {source: photos%s}\nbackbone: {weights: small.safetensors, layers: [layer1.0, auto]}\n"


def content(folder: Path) -> dict[str, bytes]:
    """Every file that older code wrote, or would have written."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.name != "params.yaml"}


@pytest.mark.parametrize(("name", "listing"), [("store", ""), ("store_sets", ", listing: listing.csv")])
def test_a_store_costs_no_forward_pass_and_every_file_stays_as_it_is(
    name: str, listing: str, tmp_path: Path, passes: list[int]
) -> None:
    root = unpack("store", tmp_path) / name
    lay_weights(root / "small.safetensors")
    (root / "params.yaml").write_text(PARAMS % listing)
    before = content(root / "data")
    assert len([path for path in before if path.endswith(".parquet")]) == 3
    with inside(root):
        run_stage(ingest)
        run_stage(extract)
    assert passes == []
    assert content(root / "data") == before


def test_the_weights_are_those_that_it_was_made_with(tmp_path: Path) -> None:
    from hashlib import sha256

    lay_weights(tmp_path / "small.safetensors")
    assert sha256((tmp_path / "small.safetensors").read_bytes()).hexdigest() == EXPECTED["small.safetensors"]["sha256"]


@pytest.mark.parametrize("name", ["one_label", "label_sets"])
def test_what_the_stages_left_is_read(name: str, tmp_path: Path) -> None:
    project = unpack("records", tmp_path) / "project" / name
    strategy = read_strategy(project / "strategy.json")
    assert (strategy.kind, strategy.layer) == ("cut", "layer1.0")
    assert (read_predicted(project / "predicted.json") is None) == (name == "label_sets")
    certificate = read_certificate(project / "certificate.json")
    if name == "label_sets":
        assert certificate is None
    else:
        assert certificate is not None and len(certificate.seeds) == 2
        assert (certificate.test_examples, certificate.training_examples) == (30, 24)
        advice = json.loads((project / "advice.json").read_text())
        assert TypeAdapter(Size).validate_python(advice["size"]).examples == 24
    assert read_finetuned(project / "finetuned") is None, "the backbone stayed frozen"
