"""The folder of an exported trigger: the graph, its facts, and the program; the graph is checked before the folder appears, and it appears whole."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.features.sequences.network import rate_of, refuse_unless_local, sequence
from thaw.foundation.errors import BadExport
from thaw.foundation.files.atomic import atomic_folder, write_text
from thaw.kinds.sounds.framed import SAMPLES, hop_of
from thaw.models.exporting.onnx_format import check_installed, read_onnx, write_onnx
from thaw.models.listening.exporting.graph import SCORES, export_frames, least_of, window_of
from thaw.models.listening.trigger_model import TriggerModel

GRAPH, CARD, PROGRAM, README = "trigger.onnx", "trigger.json", "listen.py", "README.md"
TOLERANCE = 1e-4
"""The largest difference of a score, as a share of 1 and its size."""
_CHECKED_S = 3


def write_exported_trigger(model: TriggerModel, folder: Path) -> float:
    """Write the folder, and return the largest difference of a score that the check found, in log-odds.

    Raises:
        BadExport: the folder exists, a package is missing, or the graph cannot be made or differs from the model.
    """
    check_installed()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadExport(f"{folder} exists already; remove it, or name another folder with --out")
    program = export_frames(model)
    try:
        with atomic_folder(folder) as inside:
            write_onnx(program, [SAMPLES], [SCORES], inside / GRAPH)
            difference = check_graph(model, inside / GRAPH)
            write_text(inside / CARD, json.dumps(_facts(model), indent=2) + "\n")
            write_text(inside / PROGRAM, (Path(__file__).parent / PROGRAM).read_text())
            write_text(inside / README, _readme(model, difference))
    except FileExistsError as error:
        raise BadExport(f"another process has made {folder} meanwhile; no export was written") from error
    return difference


def _facts(model: TriggerModel) -> dict[str, object]:
    """window, stride: frames of a score, and between two scores. least: the frames that the graph takes at least. hop: samples of a frame.

    refractory: scores between two events.
    """
    span, rate = refuse_unless_local(model.backbone), rate_of(model.backbone)
    return {
        "word": model.word,
        "threshold": model.promise.threshold,
        "refractory": model.refractory,
        "window": window_of(model, span),
        "stride": span.stride,
        "least": least_of(model, span),
        "hop": hop_of(rate),
        "rate": rate,
        "promise": str(model.promise),
    }


def check_graph(model: TriggerModel, path: Path) -> float:
    """The largest difference of a score of a graph on noise of two lengths, the least and more; see `TOLERANCE`.

    Raises:
        BadExport: it is larger than that.
    """
    span, hop = refuse_unless_local(model.backbone), hop_of(rate_of(model.backbone))
    generator = torch.Generator().manual_seed(0)
    least, runner = least_of(model, span), read_onnx(path)
    found = []
    for frames in (least, least + 100 * _CHECKED_S):
        noise = 0.1 * torch.randn(frames, hop, generator=generator)
        ours = model.detector.scores(sequence(model.backbone, span, noise))
        found.append(_difference(ours, runner.run(noise[None])[0][0]))
    if max(found) > TOLERANCE:
        raise BadExport(
            f"the scores of the graph differ by {max(found):.1e} from those of the model, and {TOLERANCE:g} is allowed"
        )
    return max(found)


def _difference(ours: Tensor, theirs: NDArray[Any]) -> float:
    expected = ours.numpy()
    if expected.shape != theirs.shape:
        return float("inf")
    return float((np.abs(theirs - expected) / (1 + np.abs(expected))).max())


def _readme(model: TriggerModel, difference: float) -> str:
    rate = rate_of(model.backbone)
    return f"""# {model.word}

`python listen.py FILE`, or plain samples (16 bits, one channel, {rate} a second) in `python listen.py -`, prints one line of JSON for each event. It needs
numpy and onnxruntime, and soundfile for files; `pip install numpy onnxruntime soundfile`.

{model.promise}.

`{GRAPH}` takes frames of 10 ms, float32 [N, F, {hop_of(rate)}] from -1 to 1 of N sounds, and gives the log-odds of the trigger in each window, float32 [N, P].
`{CARD}` says how many frames a window has (`window`), how many lie between two windows (`stride`), how many the graph takes at least (`least`; zeros behind a
shorter sound change nothing before them), above which score an event is (`threshold`), and how many windows later the next one may be (`refractory`).
On noise its scores differ from those of the model by {difference:.1e} at most, as a share of 1 and the score.
"""
