"""OpenVINO takes texts of any length, and takes part in the choice of an engine."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from small_encoder import WINDOW, texts, write_encoder

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines import choosing, openvino_lengths_engine
from thaw.backbones.engines.choosing import Work, choose_engine
from thaw.backbones.engines.engine import MICRO_BATCH, Precision
from thaw.backbones.engines.openvino_lengths_engine import (
    build_openvino_lengths_engine,
    is_kept_for_lengths,
    is_refused,
)
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, mapping_of, split, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.serving.engines import choose_serving_engine
from thaw.params.sections import BackboneParams

pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny.safetensors")
    return read_backbone(BackboneParams(weights=str(path), layers=("embeddings", "auto")))


@pytest.fixture(scope="module")
def kept(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the converted network, for which two short texts were shown."""
    folder = tmp_path_factory.mktemp("networks")
    assert not is_kept_for_lengths(backbone, batch_of(backbone, 2), folder)
    build_openvino_lengths_engine(backbone, "float32", batch_of(backbone, 2), 1, folder)
    return folder


def batch_of(backbone: Backbone, count: int) -> Batch:
    reader = open_reader(backbone.preprocessing, Limits())
    return stacked([reader.prepare(text.encode()) for text, _ in texts(count)])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_texts_of_several_windows_from_several_threads(backbone: Backbone, kept: Path, precision: Precision) -> None:
    batch = batch_of(backbone, 41)
    assert mapping_of(batch)["tokens"].shape[1] > 2 * WINDOW
    assert is_kept_for_lengths(backbone, batch, kept)
    engine, reference = (
        build_openvino_lengths_engine(backbone, precision, batch, 2, kept),
        reference_features(batch, backbone),
    )
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(engine.features, split(batch, 17)))
    for found in (engine.features(batch), {name: torch.cat([part[name] for part in parts]) for name in parts[0]}):
        assert found.keys() == reference.keys()
        assert TOLERANCES[precision].allows(worst_deviation(found, reference))


def test_a_kept_network_is_tried_for_less_work(backbone: Backbone, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "WORTH_READING_S", 0.0)
    monkeypatch.setattr(choosing, "WORTH_CONVERTING_LENGTHS_S", math.inf)

    def tried(keep: Path | None) -> list[str]:
        work = Work(1000, 1, torch.device("cpu"), keep)
        chosen = choose_engine(backbone, "auto", "float32", work, lambda count: batch_of(backbone, count))
        return [trial.engine.name for trial in chosen.trials]

    assert "openvino" in tried(kept) and "openvino" not in tried(None)


def test_a_server_has_it_on_request(backbone: Backbone, kept: Path) -> None:
    engine = choose_serving_engine(backbone, "openvino", batch_of(backbone, MICRO_BATCH), workers=1, keep=kept)
    batch = batch_of(backbone, 11)
    assert engine.name == "openvino"
    assert TOLERANCES["float32"].allows(worst_deviation(engine.features(batch), reference_features(batch, backbone)))


def test_a_network_that_cannot_be_converted_is_said_and_not_tried_again(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no graph holds it\nand so on")

    monkeypatch.setattr(openvino_lengths_engine, "export", refuse)
    work = Work(10**9, 1, torch.device("cpu"), tmp_path)
    with pytest.raises(BadParameters, match="the network cannot be converted: no graph holds it; torch does"):
        choose_engine(backbone, "openvino", "float32", work, lambda count: batch_of(backbone, count))
    assert is_refused(backbone, batch_of(backbone, 2), tmp_path)
    monkeypatch.delattr(choosing, "build_openvino_lengths_engine")
    choose_engine(backbone, "auto", "float32", work, lambda count: batch_of(backbone, count))
