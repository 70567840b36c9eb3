"""The card of a pretrained encoder, in Markdown; every figure comes from the record."""

from thaw.pages.layout import percent
from thaw.pretraining.texts.probe import Probe
from thaw.pretraining.texts.record import Record


def card(record: Record) -> str:
    """What the encoder is, what it learnt from, and what it scores."""
    settings = "\n".join(f"| `{name}` | {value} |" for name, value in record.settings.items())
    losses = (
        f" The loss fell from {record.losses[0][1]:g} to {record.losses[-1][1]:g}." if len(record.losses) > 1 else ""
    )
    return f"""# {record.architecture}, by {record.encoder}

{record.sentence}

## What it learnt from

{", ".join(f"`{name}`" for name in record.files)}: {record.facts.sentences:,} sentences with {record.facts.words:,} words.
Of {record.all_words:,} different words it knows {record.known_words:,}. The digest of the corpus (BLAKE3 of its lines) is
`{record.facts.digest}`.

## How

{record.steps:,} steps in {record.minutes:g} minutes on {record.settings["threads"]} thread(s) of a CPU.{losses}

| setting | value |
| --- | --- |
{settings}

## What it scores

{_scores(record)}

The digest of the file (BLAKE3) is `{record.weights}`.
"""


def _scores(record: Record) -> str:
    return "\n\n".join((*record.notes, _neighbours(record.probe)))


def _neighbours(probe: Probe | None) -> str:
    if probe is None:
        return "The corpus has no neighbouring sentences that could be held out, so no neighbours were sought."
    return (
        f"Of {probe.pairs:,} sentences that it did not learn from, the sentence after them is among the most similar tenth in {percent(probe.found)}; "
        "chance is 10 %."
    )
