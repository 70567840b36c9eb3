"""The stage `pretrain` of the second pipeline: it makes the small backbone that ships with the repository."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import torch

from tasks.project.entry import stage
from tasks.project.progress import counted
from thaw.backbones.thaw_small import ARCHITECTURE
from thaw.backbones.weights import write_weights
from thaw.foundation.files.atomic import digest_file, write_text
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.params.sections import Section
from thaw.params.values.section_file import read_section
from thaw.pretraining.pretraining import MEAN, STD, PretrainSettings, pretrain
from thaw.pretraining.source_task import SourceTask

log = logging.getLogger(__name__)

FOLDER = Path("data/pretrain")
PARAMS = FOLDER / "params.yaml"
WEIGHTS = FOLDER / "small.safetensors"
TRAINING = FOLDER / "training.json"
SOURCE = "Invented characters, drawn as random strokes by formula; no photograph and no digit was seen."


class PretrainParams(Section):
    """All parameters of `data/pretrain/params.yaml`."""

    source: SourceTask = SourceTask()
    training: PretrainSettings = PretrainSettings()


def main() -> None:
    """Train, and write the weights as float16 with their preprocessing, and a report of the training."""
    params = read_pretrain_params()
    began = monotonic()
    with counted("pretrain", "steps") as progress:
        made = pretrain(params.source, params.training, progress)
    size = params.source.image_size
    preprocessing = Preprocessing((size, size), None, "bilinear", (MEAN, MEAN, MEAN), (STD, STD, STD))
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in made.model.state_dict().items()
    }
    stated = {"architecture": ARCHITECTURE, "preprocessing": preprocessing.to_json(), "source": SOURCE}
    write_weights(WEIGHTS, tensors, stated)
    report = {
        "minutes": round((monotonic() - began) / 60, 1),
        "threads": torch.get_num_threads(),
        "source_accuracy": made.accuracy,
        "weights": digest_file(WEIGHTS).hex(),
        "losses": made.losses,
        "params": {"source": asdict(params.source), "training": asdict(params.training)},
    }
    write_text(TRAINING, json.dumps(report, indent=2) + "\n")
    log.info("accuracy on fresh instances of the source task: %.3f", made.accuracy)


def read_pretrain_params(path: Path = PARAMS) -> PretrainParams:
    """Read and check the parameters.

    Raises:
        BadParameters: the file is missing, or has values that are not allowed.
    """
    return read_section(path, PretrainParams)


if __name__ == "__main__":
    stage(main)
