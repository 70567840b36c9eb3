"""Claims: how fast sounds become features, beside librosa and beside the ONNX graphs of the same network, run as openWakeWord runs them.

    pip install --target PEER librosa
    THAW_REAL_DATA=FOLDER python benchmarks/sounds.py --librosa PEER [--quick]

`FOLDER` holds `sounds/commands` and `sounds/not_wake_words`. Their recordings are written again in turns as FLAC, WAV of 44.1 kHz and two channels, Ogg Vorbis
of 44.1 kHz, and MP3 of 22.05 kHz, so most are resampled. One core, all contenders in turns, by the seconds of that core's work for a second of sound; medians
of the rounds.

- log-mel: ours reads, resamples and computes the network's spectrogram; librosa's usual way is `librosa.load(path, sr=16000)`, `melspectrogram` with the
  same windows and bands, and `power_to_db`. Both decode by libsndfile and resample by soxr, so no goal is set.
- embeddings: the network on waves in memory; the reference is the two ONNX graphs by onnxruntime, in batches of up to 128 windows of 76 places, each 8
  behind the one before, as openWakeWord's `AudioFeatures.embed_clips` does.
- from files: ours from the files to features in Parquet (reading, resampling, forward passes, writing); the reference is `librosa.load` and those graphs.
Then a second run on the same files. `--quick`: fewer files, one round. Without `--librosa` its rows are left out.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soundfile
import soxr
import torch
from numpy.typing import NDArray

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.packages import folder_of
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.speech_embedding_backbones import EMBEDDING, NAME, SPECTRUM
from thaw.backbones.encoders.speech_embedding import RATE
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.decoding import decoded
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

GOAL, MOST_MS = 3.0, 8.0
WINDOW, STEP, BATCH = 76, 8, 128
Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Form:
    """A form of sound files."""

    ending: str
    rate: int
    channels: int


FORMS = (Form("flac", 16_000, 1), Form("wav", 44_100, 2), Form("ogg", 44_100, 1), Form("mp3", 22_050, 1))


def main() -> None:
    """Measure, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--librosa", metavar="PEER", help="the folder that librosa was installed into")
    parser.add_argument("--quick", action="store_true", help="fewer files, one round")
    asked = parser.parse_args()
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with sounds/", file=sys.stderr)
        raise SystemExit(0)
    if asked.librosa:
        sys.path.append(asked.librosa)
    sources = [
        path for each in ("commands", "not_wake_words") for path in sorted((Path(real) / "sounds" / each).glob("*.*"))
    ]
    rounds = 1 if asked.quick else 3
    with tempfile.TemporaryDirectory() as name, threads(1):
        folder = Path(name)
        files, seconds = written(sources[:: 20 if asked.quick else 2], folder / "sounds")
        backbone = read_backbone(BackboneParams(weights=str(convert(Source(Path(NAME)), folder / "network").path)))
        peer = Graphs()
        if asked.librosa:
            log_mels(files, backbone, seconds, rounds)
        embeddings(files, backbone, peer, seconds, rounds)
        rounds = 1 if asked.quick else 2
        whole(folder / "sounds", files, backbone, peer, seconds=seconds, rounds=rounds, librosa=bool(asked.librosa))


def written(sources: Sequence[Path], folder: Path) -> tuple[list[Path], float]:
    """The recordings in the forms of `FORMS` in turns, in two folders of classes, and the seconds of all of them."""
    files, seconds = [], 0.0
    for number, source in enumerate(sources):
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
        form = FORMS[number % len(FORMS)]
        sound = soxr.resample(samples.mean(1), rate, form.rate)
        path = folder / "ab"[number // 2 % 2] / f"{number}.{form.ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.repeat(sound[:, None], form.channels, 1), form.rate)
        files.append(path)
        seconds += len(sound) / form.rate
    return files, seconds


class Graphs:
    """The two ONNX graphs on one core."""

    def __init__(self) -> None:
        folder = folder_of(NAME)
        assert folder is not None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._spectrum, self._embedding = (
            onnxruntime.InferenceSession(str(folder / "resources" / name), options, providers=["CPUExecutionProvider"])
            for name in (SPECTRUM, EMBEDDING)
        )

    def embeddings(self, wave: Wave) -> NDArray[np.float32]:
        """The mean of all windows, [96]; a short sound is filled with zeros."""
        filled = np.pad(wave, (0, max(0, 12_640 - len(wave))))
        places = self._spectrum.run(None, {"input": filled[None]})[0][0, 0] / 10 + 2
        windows = np.stack([places[start : start + WINDOW] for start in range(0, len(places) - WINDOW + 1, STEP)])
        parts = [
            self._embedding.run(None, {"input_1": windows[start : start + BATCH, ..., None]})[0][:, 0, 0]
            for start in range(0, len(windows), BATCH)
        ]
        mean: NDArray[np.float32] = np.concatenate(parts).mean(0)
        return mean


def log_mels(files: Sequence[Path], backbone: Backbone, seconds: float, rounds: int) -> None:
    """From files to spectrograms."""
    import librosa

    model: Any = backbone.model
    limits = Limits()

    def ours() -> None:
        with torch.inference_mode():
            for file in files:
                sound = framed(torch.from_numpy(decoded(file.read_bytes(), RATE, limits)), RATE)
                model.log_mel(sound["samples"][None], sound["mask"][None])

    def reference() -> None:
        for file in files:
            wave, _ = librosa.load(file, sr=RATE)
            power = librosa.feature.melspectrogram(
                y=wave, sr=RATE, n_fft=512, win_length=400, hop_length=160, n_mels=32, fmin=60, fmax=3800
            )
            librosa.power_to_db(power)

    found = interleaved({"ours": ours, "reference": reference}, rounds)
    claim("decoding, resampling and log-mel beside librosa, ms of CPU a second of sound", found, seconds, None)


def embeddings(files: Sequence[Path], backbone: Backbone, peer: Graphs, seconds: float, rounds: int) -> None:
    """The network alone."""
    waves = [decoded(file.read_bytes(), RATE, Limits()) for file in files]
    engine = build_torch_engine(backbone, "float32", torch.device("cpu"))

    def ours() -> None:
        for wave in waves:
            sound = framed(torch.from_numpy(wave), RATE)
            engine.features({name: tensor[None] for name, tensor in sound.items()})

    found = interleaved({"ours": ours, "reference": lambda: [peer.embeddings(wave) for wave in waves]}, rounds)
    claim("embeddings beside ONNX windows of 76 places, ms of CPU a second of sound", found, seconds, GOAL)


def whole(
    folder: Path, files: Sequence[Path], backbone: Backbone, peer: Graphs, *, seconds: float, rounds: int, librosa: bool
) -> None:
    """From files to features, and a second run."""
    manifest = ingest(Places(folder), DatasetParams(source=str(folder), kind="sounds"), KIND).manifest
    store = FeatureStore(folder.parent / "features")

    def run(into: FeatureStore) -> int:
        params = ExtractParams(workers=1)
        return extract(manifest, Places(folder), backbone, into, params, limits=Limits()).computed

    def ours() -> None:
        with tempfile.TemporaryDirectory() as kept:
            run(FeatureStore(Path(kept)))

    contenders: dict[str, Callable[[], object]] = {"ours": ours}
    if librosa:
        import librosa as library

        contenders["reference"] = lambda: [peer.embeddings(library.load(file, sr=RATE)[0]) for file in files]
    found = interleaved(contenders, rounds)
    if librosa:
        claim(
            "from files to features beside librosa and ONNX windows, ms of CPU a second of sound", found, seconds, GOAL
        )
    took = 1000 * found["ours"] / seconds
    name = f"from files to features, ms of CPU a second of sound, at most {MOST_MS:g}"
    print(
        json.dumps(
            {"claim": name, "ours": round(took, 2), "reference": MOST_MS, "ratio": round(MOST_MS / took, 2), "goal": 1}
        )
    )
    first, second = run(store), run(store)
    print(json.dumps({"claim": "sounds that a first and a second run compute", "first": first, "second": second}))
    assert first and not second


def interleaved(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median CPU seconds of each, in turns, after one round that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, work in contenders.items():
            started = time.process_time()
            work()
            if number:
                taken[name].append(time.process_time() - started)
    return {name: statistics.median(each) for name, each in taken.items()}


def claim(name: str, found: dict[str, float], seconds: float, goal: float | None) -> None:
    """Print a claim; the figures are ms of CPU a second of sound."""
    ours, reference = (round(1000 * found[each] / seconds, 2) for each in ("ours", "reference"))
    ratio = round(found["reference"] / found["ours"], 2)
    print(json.dumps({"claim": name, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal}), flush=True)


if __name__ == "__main__":
    main()
