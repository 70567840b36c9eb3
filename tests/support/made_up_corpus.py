"""A corpus of made-up sentences: each paragraph has a topic with words of its own, so neighbours can be found."""

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
