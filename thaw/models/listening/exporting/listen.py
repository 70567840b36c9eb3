"""Listens for the trigger of this folder: needs numpy and onnxruntime, and soundfile for files.

python listen.py monday.wav
arecord -f S16_LE -r 16000 | python listen.py -
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

LIVE_S, FILE_S = 0.4, 4.0
"""Seconds of sound that go through the graph at a time; the scores do not depend on them."""


class Listener:
    """Hears one stream. Every window of the sound gets a score, and a score above the threshold is an event, if the last one is long enough ago."""

    def __init__(self, folder: Path) -> None:
        self.card = json.loads((folder / "trigger.json").read_text())
        self.session: Any = onnxruntime.InferenceSession(folder / "trigger.onnx", providers=["CPUExecutionProvider"])
        self.rest = np.empty(0, np.float32)
        self.windows, self.free = 0, 0

    def feed(self, samples: Any) -> list[tuple[float, float, bool]]:
        """The windows that end within these samples, float32 from -1 to 1: second of the end, score, whether it is an event."""
        hop, window, stride = self.card["hop"], self.card["window"], self.card["stride"]
        self.rest = np.concatenate([self.rest, samples])
        count = (len(self.rest) // hop - window) // stride + 1
        if count < 1:
            return []
        used = self.rest[: (window + (count - 1) * stride) * hop]
        self.rest = self.rest[count * stride * hop :]
        # Zeros behind change nothing before them; the scores of windows that hold some are left out.
        frames = np.pad(used, (0, max(0, self.card["least"] * hop - len(used)))).reshape(1, -1, hop)
        scores = self.session.run(None, {"samples": frames})[0][0, :count]
        return [self._judge(float(score)) for score in scores]

    def end(self) -> list[tuple[float, float, bool]]:
        """The windows that end within the last frame, which is filled with zeros."""
        return self.feed(np.zeros(-len(self.rest) % self.card["hop"], np.float32))

    def _judge(self, score: float) -> tuple[float, float, bool]:
        event = score > self.card["threshold"] and self.windows >= self.free
        if event:
            self.free = self.windows + self.card["refractory"]
        at = (self.card["window"] + self.windows * self.card["stride"]) * self.card["hop"] / self.card["rate"]
        self.windows += 1
        return round(at, 3), score, event


def blocks_of(source: str, rate: int) -> Iterator[Any]:
    """The samples of a file, or plain samples of 16 bits from standard input as they come."""
    if source == "-":
        while content := sys.stdin.buffer.read(2 * int(LIVE_S * rate)):
            yield np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.float32) / 2**15
        return
    import soundfile

    with soundfile.SoundFile(source) as sound:
        if sound.samplerate != rate:
            command = f"ffmpeg -i {source} -ar {rate} -ac 1 -f s16le - | python {sys.argv[0]} -"
            sys.exit(f"{source} has {sound.samplerate} samples a second, and the trigger takes {rate}; run: {command}")
        for block in sound.blocks(int(FILE_S * rate), dtype="float32", always_2d=True):
            yield block.mean(1)


def main() -> None:
    """Print an event as soon as it is heard, as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a sound file, or - for standard input: plain samples of 16 bits, one channel")
    parser.add_argument("--scores", action="store_true", help="print every window, not the events alone")
    arguments = parser.parse_args()
    listener = Listener(Path(__file__).parent)

    def tell(windows: list[tuple[float, float, bool]]) -> None:
        for at, score, event in windows:
            if event or arguments.scores:
                found = {"word": listener.card["word"], "at_s": at, "score": score, "event": event}
                sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()

    for block in blocks_of(arguments.source, listener.card["rate"]):
        tell(listener.feed(block))
    tell(listener.end())


if __name__ == "__main__":
    main()
