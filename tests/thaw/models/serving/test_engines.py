"""The engine that serves gives the reference's features, whatever the number of images."""

from dataclasses import dataclass, replace

import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.backbones.engines.reference import deviation, reference_features
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.models.serving.engines import ServingEngine, choose_serving_engine
from thaw.params.sections import BackboneParams


def small() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


def noise(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("wanted", ["torch", "openvino", "auto"])
def test_features_are_the_references_for_one_image_and_for_many(wanted: str) -> None:
    if wanted != "torch":
        pytest.importorskip("openvino")
    backbone, pixels = small(), noise(21)
    engine = choose_serving_engine(backbone, wanted, noise(MICRO_BATCH), workers=2)  # type: ignore[arg-type]
    reference = reference_features(pixels, backbone)[backbone.layers[0]]
    for count in (1, 3, MICRO_BATCH, 21):
        found = engine.features(pixels[:count])[backbone.layers[0]]
        assert found.shape == (count, reference.shape[1])
        if count > 1:
            assert TOLERANCES["float32"].allows(deviation(found, reference[:count]))
    assert wanted in ("auto", engine.name)


def test_an_engine_that_gives_other_features_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from thaw.models.serving import engines

    def broken(backbone: Backbone, *args: object) -> object:
        halved = replace(backbone.preprocessing, std=(1.0, 1.0, 1.0))
        return original(replace(backbone, preprocessing=halved), *args)

    original = engines.build_torch_engine
    monkeypatch.setattr(engines, "build_torch_engine", broken)
    backbone, pixels = small(), noise(5)
    engine = choose_serving_engine(backbone, "torch", noise(MICRO_BATCH), workers=1)
    assert engine.name == "plain"
    layer = backbone.layers[0]
    assert torch.equal(engine.features(pixels)[layer], backbone.features(pixels)[layer])


@dataclass(frozen=True)
class Counting:
    """Gives the number of images that came at once."""

    name: str
    precision: str = "float32"

    def features(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {self.name: torch.full((len(pixels), 1), float(len(pixels)))}


def test_few_images_go_one_way_and_many_the_other() -> None:
    engine = ServingEngine(Counting("x"), Counting("x"), few=2)  # type: ignore[arg-type]
    assert engine.features(noise(MICRO_BATCH + 1))["x"][:, 0].tolist() == [8.0] * 8 + [1.0]
    assert engine.name == "x"
    assert engine._for(2) is engine.single and engine._for(3) is engine.many
