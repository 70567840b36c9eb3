"""A corpus of made-up sentences: each paragraph has a topic with words of its own, so neighbours can be found."""

import json
from pathlib import Path

import numpy as np

TOPICS, OWN, COMMON = 8, 12, 20


def made_up_lines(paragraphs: int, seed: int = 0) -> list[str]:
    """Six sentences of seven words a paragraph, half of them of the paragraph's topic, and an empty line."""
    chance = np.random.default_rng(seed)
    lines = []
    for number in range(paragraphs):
        for _ in range(6):
            own = chance.random(7) < 0.5
            topical, common = chance.integers(OWN, size=7), chance.integers(COMMON, size=7)
            words = [
                f"topic{number % TOPICS}word{topical[place]}" if own[place] else f"common{common[place]}"
                for place in range(7)
            ]
            lines.append(" ".join(words))
        lines.append("")
    return lines


def write_corpus(path: Path, paragraphs: int = 100, seed: int = 0) -> Path:
    path.write_text("\n".join(made_up_lines(paragraphs, seed)) + "\n")
    return path


def write_pairs(path: Path, paragraphs: int = 100, seed: int = 0) -> Path:
    """The sentences as JSON lines of pairs; nine of ten are of one topic, which is their label."""
    chance = np.random.default_rng(seed)
    lines = [line for line in made_up_lines(paragraphs, seed) if line]
    pairs = [[lines[place], lines[place + 1], "alike"] for place in range(0, len(lines), 2)]
    for place in np.flatnonzero(chance.random(len(pairs)) < 0.1):
        pairs[place] = [pairs[place][0], pairs[(place + 3) % len(pairs)][1], "other"]
    names = ("sentence1", "sentence2", "gold_label")
    path.write_text("".join(f"{json.dumps(dict(zip(names, pair, strict=True)))}\n" for pair in pairs))
    return path
