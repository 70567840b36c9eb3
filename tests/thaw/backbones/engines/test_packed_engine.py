"""The engine without padding takes part in the choice for encoders of texts, and for no other network."""

import pytest
import torch
from small_encoder import texts, write_encoder

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines import choosing
from thaw.backbones.engines.choosing import FEW, Work, choose_engine
from thaw.backbones.engines.engine import MICRO_BATCH, Precision
from thaw.backbones.engines.packed_engine import build_packed_engine, is_packable
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.serving.engines import choose_serving_engine
from thaw.params.sections import BackboneParams

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch has no oneDNN here")
NAME = "torch without padding"


@pytest.fixture(scope="module", params=["average", "max"])
def backbone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny.safetensors")
    return read_backbone(
        BackboneParams(weights=str(path), layers=("embeddings", "layers.1", "auto"), pooling=request.param)
    )


def batch_of(backbone: Backbone, count: int) -> Batch:
    reader = open_reader(backbone.preprocessing, Limits())
    return stacked([reader.prepare(text.encode()) for text, _ in texts(count)])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_features_are_the_references(backbone: Backbone, precision: Precision) -> None:
    batch = batch_of(backbone, 41)
    found, reference = build_packed_engine(backbone, precision).features(batch), reference_features(batch, backbone)
    assert found.keys() == reference.keys()
    assert TOLERANCES[precision].allows(worst_deviation(found, reference))


def test_it_is_tried_first_and_plain_pytorch_for_much_work_alone(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "has_compiler", lambda: False)
    for examples, tried in ((10**9, [NAME, "torch"]), (FEW, [NAME])):
        work = Work(examples, 1, torch.device("cpu"))
        chosen = choose_engine(backbone, "torch", "float32", work, lambda count: batch_of(backbone, count))
        assert [trial.engine.name for trial in chosen.trials] == tried
        assert all(trial.allowed for trial in chosen.trials)


def test_a_server_has_it_too(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    engine = choose_serving_engine(backbone, "auto", batch_of(backbone, MICRO_BATCH), workers=1)
    assert f"engine {NAME}: " in caplog.text
    batch = batch_of(backbone, 21)
    assert TOLERANCES["float32"].allows(worst_deviation(engine.features(batch), reference_features(batch, backbone)))


def test_other_networks_have_padding() -> None:
    assert not is_packable(read_backbone(BackboneParams(weights="data/pretrain/small.safetensors")))
