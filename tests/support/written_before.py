"""What older code has left in tests/fixtures/written_before, unpacked and made whole."""

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file

if TYPE_CHECKING:
    from tasks.registry.registry import Registry

FOLDER = Path(__file__).parents[1] / "fixtures/written_before"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
NETWORKS = {"flatten": ("conv1.", "bn1.", "layer1.", "layer2.", "layer3."), "layer1.0": ("conv1.", "bn1.", "layer1.")}
"""How the names of the tensors begin that the network below a layer consists of."""


def unpack(archive: str, into: Path) -> Path:
    """The content of `ARCHIVE.tar.xz`; returns the folder."""
    with tarfile.open(FOLDER / f"{archive}.tar.xz") as file:
        file.extractall(into, filter="data")
    return into


def plain_weights(architecture: str, classes: int) -> dict[str, torch.Tensor]:
    """Weights that are the same on any machine, bit for bit: whole numbers over powers of two by NumPy's generator; PyTorch's own differ between processors."""
    from thaw.backbones.architectures import build

    with torch.device("meta"):
        shapes = build(architecture, classes).state_dict()
    generator = np.random.default_rng(0)
    weights = {}
    for name in sorted(shapes):
        shape = tuple(shapes[name].shape)
        if not shapes[name].is_floating_point():
            weights[name] = torch.zeros(shape, dtype=shapes[name].dtype)
        elif len(shape) < 2:
            weights[name] = torch.full(shape, float(name.endswith((".weight", "running_var"))))
        else:
            values = generator.integers(-128, 129, shape).astype(np.float32) / 128
            fan = int(np.prod(shape[1:]))
            weights[name] = torch.from_numpy(values * np.float32(2.0 ** (1 - (fan.bit_length() - 1) // 2)))
    return weights


def lay_weights(path: Path) -> None:
    """The backbone's weights as a project has them."""
    save_file(plain_weights("thaw_small", 10), path, {"architecture": "thaw_small"})


def lay_backbone(model: Path) -> None:
    """The weights that belong into a registered model's folder."""
    described = json.loads((model / "backbone.json").read_text(encoding="utf-8"))
    (layer,) = described["layers"]
    tensors = {
        name: tensor for name, tensor in plain_weights("thaw_small", 10).items() if name.startswith(NETWORKS[layer])
    }
    save_file(tensors, model / "backbone.safetensors", {"weights_digest": described["weights_digest"]})


def version_of(folder: Path) -> Any:
    """What is told of a version whose records lie in the folder: its tags, and the history of promotions."""
    return json.loads((folder / "version.json").read_text(encoding="utf-8"))


def register(registry: "Registry", folder: Path) -> None:
    """Make a version whose run holds what the folder holds, and the registered model where there is none."""
    from tasks.registry.mlflow_store import experiment_id

    if not registry.versions():
        registry.client.create_registered_model(registry.name)
    run = registry.client.create_run(experiment_id(registry.client, "thaw")).info.run_id
    registry.client.log_artifacts(run, str(folder))
    registry.client.create_model_version(registry.name, f"runs:/{run}/model", run, version_of(folder)["version_tags"])
