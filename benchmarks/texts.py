"""Accuracy of text encoders at few labels and at all, on MR, SUBJ and TREC, beside TF-IDF without a backbone.

    THAW_REAL_DATA=FOLDER python benchmarks/texts.py [--quick] [--layers] [--set SET ...] [NAME=BACKBONE.safetensors ...]

A backbone is a file of `thaw convert`; without one, the vectors in `FOLDER/text/vectors` are converted. Each draw takes so many labels of each class, and fits
Thaw's own linear head on the frozen features of the default cut layer; TF-IDF is the baseline of the advice and of the report. MR and SUBJ: a fifth of the
sentences, drawn with each draw's seed, is the test. TREC: its own test. With all labels there is one draw for TREC. The second table has texts a second on one
core, reading and words included. `--quick`: two draws, 10 and 50 labels. `--set`: of this set alone, or of several such. `--layers`: a backbone's features are
those of the cut layer whose head has the least log loss on held-out folds of the training rows, so no test row has a say in it; TF-IDF is left out, and so are
the speeds.
"""

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.foundation.parallel.torch_threads import threads
from thaw.heads import FittedHead, fit_head
from thaw.kinds.batches import Batch, in_groups, joined_rows, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.texts.bags import word_bags
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

SETS = {"MR": ("rt-polarity.all",), "SUBJ": ("subj.all",), "TREC": ("TREC.train.all", "TREC.test.all")}
BUDGETS: tuple[int | None, ...] = (10, 50, 200, None)
TEST = 0.2
BATCH = 64
PLAIN = "TF-IDF"


@dataclass(frozen=True)
class Labelled:
    """Sentences and the number of each one's class."""

    texts: tuple[str, ...]
    targets: Tensor
    class_names: tuple[str, ...]


def read_set(folder: Path, name: str) -> list[Labelled]:
    """The files of a set: Latin-1, with NEL bytes inside sentences, so they are split at line ends alone."""
    lines = [
        [line.split(" ", 1) for line in (folder / file).read_bytes().decode("latin-1").split("\n") if line]
        for file in SETS[name]
    ]
    names = tuple(sorted({label for part in lines for label, _ in part}))
    return [
        Labelled(tuple(text for _, text in part), torch.tensor([names.index(label) for label, _ in part]), names)
        for part in lines
    ]


def features_of(texts: Sequence[str], backbone: Backbone | None) -> Tensor:
    """Features float32 [N, D] of the default cut layer, or bags of words without a backbone."""
    preprocessing = WordPreprocessing() if backbone is None else backbone.preprocessing
    reader = open_reader(preprocessing, Limits())
    examples = [reader.prepare(text.encode()) for text in texts]
    if backbone is None:
        return joined_rows(
            [word_bags(stacked(examples[start : start + BATCH])) for start in range(0, len(texts), BATCH)]
        )

    def computed(group: Sequence[Batch]) -> Tensor:
        return backbone.features(backbone.kind.collate(group))[backbone.layers[-1]].clone()

    return in_groups(examples, BATCH, computed)


def layers_of(texts: Sequence[str], backbone: Backbone) -> dict[str, Tensor]:
    """Features float32 [N, D] of all cut layers."""
    reader = open_reader(backbone.preprocessing, Limits())
    sizes: list[int] = []

    def computed(group: Sequence[Batch]) -> Tensor:
        found = backbone.features(backbone.kind.collate(group))
        sizes[:] = [found[name].shape[1] for name in backbone.layers]
        return torch.cat([found[name] for name in backbone.layers], 1)

    rows = in_groups([reader.prepare(text.encode()) for text in texts], BATCH, computed)
    return dict(zip(backbone.layers, rows.split(sizes, 1), strict=True))


def draws(parts: list[Labelled], budget: int | None, count: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """The seed, the training rows and the test rows of each draw; rows of a second part come after those of the first."""
    targets = torch.cat([part.targets for part in parts])
    for seed in range(count if budget is not None or len(parts) == 1 else 1):
        chance = np.random.default_rng(seed)
        if len(parts) == 2:
            train, test = np.arange(len(parts[0].targets)), np.arange(len(parts[0].targets), len(targets))
        else:
            order = chance.permutation(len(targets))
            test, train = np.split(order, [round(TEST * len(order))])
        if budget is not None:
            own = targets.numpy()[train]
            train = np.concatenate([chance.permutation(train[own == label])[:budget] for label in np.unique(own)])
        yield seed, torch.from_numpy(train), torch.from_numpy(test)


def accuracy(layers: Sequence[Tensor], parts: list[Labelled], budget: int | None, count: int) -> list[float]:
    """The test accuracy of each draw, in per cent, by the layer whose head is best on held-out folds of the training rows."""
    targets = torch.cat([part.targets for part in parts])
    found = []
    for seed, train, test in draws(parts, budget, count):
        heads = [
            fit_head(
                LabelledFeatures(features[train], targets[train], parts[0].class_names), None, HeadParams(seed=seed)
            )
            for features in layers
        ]
        head, features = min(zip(heads, layers, strict=True), key=lambda each: held_out_loss(each[0]))
        found.append(100 * float((head.logits(features[test]).argmax(1) == targets[test]).float().mean()))
    return found


def held_out_loss(head: FittedHead) -> float:
    """The log loss of the chosen trial."""
    losses = [trial.log_loss for trial in head.trials if trial.chosen and trial.log_loss is not None]
    return min(losses, default=math.inf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbones", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--set", action="append", choices=SETS, dest="sets", metavar="SET")
    asked = parser.parse_args()
    root = Path(os.environ["THAW_REAL_DATA"]) / "text"
    with tempfile.TemporaryDirectory() as folder:
        files = dict(each.split("=", 1) for each in asked.backbones) or vectors_in(root / "vectors", Path(folder))
        encoders: dict[str, Backbone | None] = {} if asked.layers else {PLAIN: None}
        layers = ("blocks",) if asked.layers else ("auto",)
        encoders |= {name: read_backbone(BackboneParams(weights=file, layers=layers)) for name, file in files.items()}
    parts = {name: read_set(root / "sets", name) for name in asked.sets or SETS}
    budgets, count = BUDGETS[:2] if asked.quick else BUDGETS, 2 if asked.quick else 5
    if asked.layers:
        tell_layers(parts, encoders, budgets, count)
    else:
        tell(parts, encoders, budgets, count)


def vectors_in(folder: Path, into: Path) -> dict[str, str]:
    """Backbones of the text files of vectors in a folder."""
    return {
        path.stem: str(convert(Source(path), into / f"{path.stem}.safetensors").path)
        for path in sorted(folder.glob("*.txt"))
    }


Parts = Mapping[str, list[Labelled]]
Encoders = Mapping[str, Backbone | None]


def tell_layers(parts: Parts, encoders: Encoders, budgets: Sequence[int | None], count: int) -> None:
    """Print the table of the layers that the training rows choose, in Markdown."""
    head_of(parts, budgets, count)
    for name, backbone in encoders.items():
        assert backbone is not None
        cells = []
        for files in parts.values():
            layers = layers_of([text for part in files for text in part.texts], backbone)
            cells.append(cell([accuracy(list(layers.values()), files, budget, count) for budget in budgets]))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def head_of(parts: Parts, budgets: Sequence[int | None], count: int) -> None:
    """Print what a table of accuracy holds, and its first lines."""
    asked = " / ".join("all" if budget is None else str(budget) for budget in budgets)
    print(f"accuracy at {asked} labels a class, mean of {count} draws (standard deviation)\n")
    print(f"| encoder | {' | '.join(parts)} |\n|{' --- |' * (len(parts) + 1)}", flush=True)


def cell(measured: Sequence[Sequence[float]]) -> str:
    """The mean of each budget, with its spread."""
    return " / ".join(f"{statistics.mean(each):.1f}{spread(each)}" for each in measured)


def tell(parts: Parts, encoders: Encoders, budgets: Sequence[int | None], count: int) -> None:
    """Print both tables, in Markdown."""

    @cache
    def features(encoder: str, name: str) -> tuple[Tensor, float]:
        started = time.perf_counter()
        texts = [text for part in parts[name] for text in part.texts]
        with threads(1):
            found = features_of(texts, encoders[encoder])
        return found, len(texts) / (time.perf_counter() - started)

    head_of(parts, budgets, count)
    for encoder in encoders:
        cells = []
        for name, files in parts.items():
            cells.append(cell([accuracy([features(encoder, name)[0]], files, budget, count) for budget in budgets]))
        print(f"| {encoder} | {' | '.join(cells)} |", flush=True)
    print(f"\n| encoder | texts a second on one core ({torch.__version__}) |\n| --- | --- |")
    for encoder in encoders:
        print(f"| {encoder} | {statistics.median(features(encoder, name)[1] for name in parts):,.0f} |")


def spread(values: Sequence[float]) -> str:
    return f" ({statistics.stdev(values):.1f})" if len(values) > 1 else ""


if __name__ == "__main__":
    main()
