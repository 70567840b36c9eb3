"""torchxrayvision's weights by name and by file: as their network gives them, with its own preprocessing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.official_weights import fetch_weights, weights_of
from thaw.backbones.providers.xrv_networks import PUBLISHED
from thaw.foundation.errors import BadWeights, Unreachable
from thaw.foundation.files import downloads
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.params.sections import BackboneParams

NAME = "densenet121-res224-nih"
LIMITS = Limits(10**8)


@pytest.fixture(scope="module")
def theirs() -> models.DenseNet:
    """A small network that is built as theirs are: one channel, 18 findings, and their operating points beside them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = models.densenet121(num_classes=18)
        network.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    network.register_buffer("op_threshs", torch.full((18,), torch.nan))
    return network.eval()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the library, and no network."""

    def refuse(url: str, begin: int = 0) -> None:
        raise ConnectionError("no network")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(downloads, "_opened", refuse)
    folder = tmp_path / ".torchxrayvision/models_data"
    folder.mkdir(parents=True)
    return folder


def grey() -> tuple[bytes, Tensor]:
    """An x-ray of 224 x 224 pixels as a file, and as their library normalises it."""
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), torch.from_numpy((2 * (pixels / 255.0) - 1.0) * 1024).float()[None, None]


def features_of(backbone: Backbone) -> Tensor:
    content, _ = grey()
    batch = open_reader(backbone.preprocessing, LIMITS).prepare(content)[None]
    return backbone.features(batch)[backbone.layers[0]]


def expected(network: models.DenseNet) -> Tensor:
    with torch.no_grad():
        return torch.relu(network.features(grey()[1])).mean((2, 3))


def test_a_name_takes_the_file_of_their_cache_in_the_old_format(
    theirs: models.DenseNet, home: Path, tmp_path: Path
) -> None:
    torch.save(theirs, home / PUBLISHED[NAME].file, _use_new_zipfile_serialization=False)
    file = tmp_path / weights_of(f"xrv/{NAME}").name
    told: list[str] = []
    fetch_weights(file, told.append)
    backbone = read_backbone(BackboneParams(weights=str(file)))
    assert (backbone.architecture, told) == ("densenet121", [])
    assert backbone.origin is not None and backbone.origin.source == PUBLISHED[NAME].url
    torch.testing.assert_close(features_of(backbone), expected(theirs), atol=1e-3, rtol=1e-4)


def test_a_file_of_theirs_is_known_by_its_tensors(theirs: models.DenseNet, tmp_path: Path) -> None:
    torch.save(theirs.state_dict(), tmp_path / "renamed.pt")
    backbone = read_backbone(BackboneParams(weights=str(tmp_path / "renamed.pt")))
    ends = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 1, 1)
    assert backbone.preprocessing.normalise(ends).unique().tolist() == [-1024, 1024]
    assert any("torchxrayvision" in note for note in backbone.notes)
    torch.testing.assert_close(features_of(backbone), expected(theirs), atol=1e-3, rtol=1e-4)


def test_unknown_names_and_missing_networks_say_what_to_do(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"names are .*xrv/densenet121-res224-all"):
        weights_of("xrv/densenet121-res224-al")
    with pytest.raises(Unreachable, match=r"lay the file at .*\.torchxrayvision/models_data/nih-densenet121"):
        fetch_weights(tmp_path / weights_of(f"xrv/{NAME}").name)
    (home / PUBLISHED[NAME].file).write_bytes(b"cut")
    with pytest.raises(BadWeights, match="damaged"):
        fetch_weights(tmp_path / weights_of(f"xrv/{NAME}").name)
