"""Near words that espeak-ng speaks, as further sound without a trigger: what they do to real near words, and to misses.

    THAW_REAL_DATA=FOLDER python benchmarks/near_words.py [--quick]

Each spoken digit is a trigger, from four clips of each of five speakers, and the other nine digits are near words of which no recording is at hand: the sound
without the trigger is commands and other speech, half of which trains the detector, of one new layer. It is trained without near words, and with the names of
the nine digits, each spoken by 16 voices. A sixth speaker, of whom nothing is learnt, says all digits. The threshold has at most 0.5 events an hour on the
other half of the recordings, which knows no near words.
`--quick`: three digits of one speaker; else all digits of two speakers.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from triggers.recordings import SNR, TRAINING_SNRS, Ear, Recording, flacs, read

from thaw.backbones.encoders.speech_embedding import RATE
from thaw.foundation.parallel.torch_threads import threads
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.pretraining.sounds.near_words import spoken_words
from thaw.targets.trigger.events import Background, ScoredRecording

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
HELD_OUT = ("jackson", "nicolas")
TRAINING, TESTED = 4, 8
EVENTS_AN_HOUR, REFRACTORY = 0.5, 25
Said = Mapping[tuple[str, str], Sequence[Recording]]


def main() -> None:
    """Print a table, and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three digits of one speaker")
    quick = parser.parse_args().quick
    root = Path(os.environ["THAW_REAL_DATA"]) / "sounds"
    with threads(1):
        with tempfile.TemporaryDirectory() as folder:
            ear = Ear(root, Path(folder))
        said = {(digit, speaker): clips_of(root, ear, digit, speaker) for digit in DIGITS for speaker in SPEAKERS}
        others = [
            ear.hear(source, str(path), read(path), (SNR,))
            for source in ("commands", "not_wake_words")
            for path in flacs(root / source, 3)
        ]
        near = {digit: [ear.hear("near", "", wave, (SNR,)) for wave in spoken_words([digit], RATE)] for digit in DIGITS}
        rows = [
            (measured(digit, speaker, said, others, {}), measured(digit, speaker, said, others, near))
            for speaker in HELD_OUT[: 1 if quick else 2]
            for digit in DIGITS[: 3 if quick else 10]
        ]
    tell(100 * np.array(rows).mean(0))


def clips_of(root: Path, ear: Ear, digit: str, speaker: str) -> list[Recording]:
    """A speaker's first clips of a digit, clean and in noise."""
    place = DIGITS.index(digit)
    count = TESTED if speaker in HELD_OUT else TRAINING
    paths = [root / f"fsdd/{place}_{speaker}_{number}.flac" for number in range(count)]
    return [ear.hear("fsdd", speaker, read(path), TRAINING_SNRS) for path in paths]


def measured(
    digit: str, held_out: str, said: Said, others: Sequence[Recording], near: Mapping[str, Sequence[Recording]]
) -> tuple[float, float, float]:
    """The share of the digit that is missed, that of the other digits that is accepted, and the share that is missed where 1 % of them is accepted."""
    order = np.random.default_rng(0).permutation(len(others))
    training, held = ([others[place] for place in part] for part in np.array_split(order, 2))
    clips = [clip for speaker in SPEAKERS if speaker != held_out for clip in said[digit, speaker][:TRAINING]]
    negatives = [*training, *(each for other, spoken in near.items() if other != digit for each in spoken)]
    detector = fit_detector(
        [(clip.clean, *clip.training) for clip in clips],
        [version for each in negatives for version in (each.clean, *each.training[:1])],
        DetectorSettings(layers="one"),
        [clip.end for clip in clips],
    )

    def peaks(recordings: Sequence[Recording]) -> NDArray[np.float32]:
        scores = [detector.scores(each.clean).numpy() for each in recordings]
        return np.array([each.max(initial=-np.inf) for each in scores])

    background = Background(
        [ScoredRecording(detector.scores(each.clean).numpy(), each.hours, each.group) for each in held], REFRACTORY
    )
    threshold = background.threshold(int(EVENTS_AN_HOUR * background.hours))
    own = peaks(said[digit, held_out])
    wrong = peaks([clip for other in DIGITS if other != digit for clip in said[other, held_out]])
    return (
        float((own <= threshold).mean()),
        float((wrong > threshold).mean()),
        float((own <= np.quantile(wrong, 0.99)).mean()),
    )


def tell(shares: NDArray[np.float64]) -> None:
    """shares: per cent, [2, 3], without near words and with them."""
    print("| near words | missed | other digits accepted | missed where 1 % of them is accepted |")
    print("| --- | --- | --- | --- |")
    for name, own in zip(("none", "spoken by espeak-ng"), shares, strict=True):
        print(f"| {name} | {' | '.join(f'{share:.1f} %' for share in own)} |")
    for place, name in ((1, "other digits accepted, %"), (2, "missed where 1 % of the other digits is accepted, %")):
        without, beside = shares[0, place], shares[1, place]
        line = {
            "claim": f"near words: {name}, with them beside without",
            "ours": round(beside, 2),
            "reference": round(without, 2),
            "ratio": round(without / max(0.1, beside), 3),
            "goal": 1,
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
