"""The reference is torchvision's own way; the deviation from it is what its words say."""

from pathlib import Path

import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines.reference import deviation, reference_features
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.params.sections import BackboneParams


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors", layers=("layer1", "auto")))


def test_it_is_the_extractor_in_evaluation_mode_and_leaves_the_backbone_alone(backbone: Backbone) -> None:
    pixels = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found, expected = reference_features(pixels, backbone, batch_size=2), backbone.features(pixels)
    assert list(found) == ["layer1", "flatten"]
    assert all(torch.allclose(found[name], expected[name], atol=1e-5) for name in found)
    assert backbone.is_unchanged() and not backbone.extractor.training


def test_deviation_is_centred_so_that_a_shared_mean_hides_nothing() -> None:
    reference = 100 + torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    assert deviation(reference, reference).cosine == pytest.approx(1)
    assert deviation(reference, reference).largest == 0
    other = 100 + torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
    assert torch.cosine_similarity(other, reference).min() > 0.999, "raw cosines see nothing"
    assert deviation(other, reference).cosine < 0.2


def test_copies_of_one_picture_do_not_differ_by_their_rounding() -> None:
    generator = torch.Generator().manual_seed(0)
    row = 1 + torch.randn(512, generator=generator)
    copies = row.repeat(8, 1)
    rounded = copies + 1e-6 * torch.randn(8, 512, generator=generator)
    assert TOLERANCES["float32"].allows(deviation(rounded, copies))
    assert TOLERANCES["float32"].allows(deviation(copies, rounded)), "whatever little the reference itself varies"
    assert not TOLERANCES["float32"].allows(deviation(copies[:, torch.randperm(512, generator=generator)], copies))


def test_the_largest_difference_is_in_standard_deviations() -> None:
    reference = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    changed = reference.clone()
    changed[7, 2] += 0.5 * reference.std()
    assert deviation(changed, reference).largest == pytest.approx(0.5, rel=1e-4)


def test_less_precision_is_allowed_more_and_never_everything() -> None:
    assert TOLERANCES["float32"].cosine > TOLERANCES["bfloat16"].cosine > 0.9
    assert TOLERANCES["float32"].largest < TOLERANCES["bfloat16"].largest <= 1


def test_the_documented_tolerances_are_those_of_the_code() -> None:
    page = Path("docs/precision.md").read_text()
    for precision, tolerance in TOLERANCES.items():
        assert f"| `{precision}` | {tolerance.cosine} | {tolerance.largest} |" in page
