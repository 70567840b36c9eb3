"""Networks in OpenVINO's form: converted once, kept in a folder, and compiled. This needs the extra `openvino`; `make install` installs it."""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blake3 import blake3

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import Precision
from thaw.foundation.errors import BadParameters

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


def load_openvino() -> Any:
    """The package openvino.

    Raises:
        BadParameters: it is not installed.
    """
    # Without this the converter reports each use to its makers; without the module it reports nothing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        return import_module("openvino")
    except ImportError as error:
        raise BadParameters(
            "the engine openvino needs the package openvino, which is not installed; `make install` brings it, or `pip install -e '.[openvino]'` "
            "in Thaw's folder"
        ) from error


def kept_folder(keep: Path, backbone: Backbone, shape: Sequence[object]) -> Path:
    """The converted network's folder in `keep`; its name is from everything that the conversion depends on. shape: of the examples, as JSON takes it."""
    network = [backbone.architecture, backbone.weights_digest, backbone.layers, backbone.preprocessing.to_json()]
    facts = [version("openvino"), *network, *shape]
    return keep / f"openvino-{blake3(json.dumps(facts).encode()).hexdigest(12)}"


def kept_network(openvino: Any, folder: Path | None, convert: Callable[[], Any]) -> Any:
    """Read the converted network from its folder; if there is none, convert the network first. One rename moves the whole folder to its place.

    folder: None, if the network is not to be kept.
    """
    if folder is None:
        return convert()
    file = folder / "network.xml"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder.parent) as name:
            unfinished = Path(name) / folder.name
            openvino.save_model(convert(), unfinished / file.name, compress_to_fp16=False)
            with suppress(OSError):  # another process was faster
                unfinished.rename(folder)
    return openvino.Core().read_model(file)


def compiled_network(openvino: Any, model: Any, precision: Precision, workers: int) -> Any:
    """The network compiled for `workers` threads of one core each."""
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": workers,
        "NUM_STREAMS": workers,
    }
    return openvino.Core().compile_model(model, "CPU", settings)
