"""The sentences of the certificate. `examples` are the words for the examples of the kind."""

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Words
from thaw.pages.layout import percent, points
from thaw.params.values.strategy import PLAIN
from thaw.strategies.baselines.learners import MAJORITY
from thaw.strategies.certificate.record import Certificate, Entry, Ruling

BASELINES = {
    "plain": "a linear model on {plain}, without a backbone",
    "random_backbone": "the same network with random weights, frozen",
    "scratch": "the same network trained from scratch",
}
VERBS = {
    "helps": "transfer helps",
    "hurts": "transfer hurts",
    "can't tell": "these {many} can't tell whether transfer helps",
}


def verdict(certificate: Certificate, examples: Words) -> str:
    """The first sentence of the page."""
    entry = certificate.entry(followed(certificate))
    target = certificate.judged_by
    reached = entry.score.headline(target)
    sentences = target.reached(percent(reached.value), f"{certificate.test_examples:,} test {examples.many}")
    sentence = f"“{certificate.strategy}” {sentences} ({percent(reached.low)} to {percent(reached.high)})"
    first = PLAIN if certificate.strategy == PLAIN else "scratch"
    against = [ruling for ruling in certificate.rulings if ruling.over == first] or list(certificate.rulings)
    if not against:
        return f"{sentence}."
    return f"{sentence}; against {_baseline(certificate, against[0], examples)}, {VERBS[against[0].verdict].format(many=examples.many)}."


def followed(certificate: Certificate) -> str:
    """The entry of the followed strategy, or of the linear head if that strategy was not compared."""
    names = {entry.name for entry in certificate.entries}
    return certificate.strategy if certificate.strategy in names else "linear"


def remarks(certificate: Certificate, examples: Words) -> tuple[str, ...]:
    """Sentences on how to read the figures."""
    resampled = (
        f"test {examples.many}"
        if certificate.groups is None
        else f"the {certificate.groups} groups of test {examples.many}"
    )
    draws = f"{len(certificate.seeds)} repetition{'s' if len(certificate.seeds) > 1 else ''}"
    sentences = [
        f"Each way to learn had {draws} with {certificate.training_examples:,} labelled {examples.many}"
        + (", which were drawn anew each time" if certificate.redrawn else "")
        + f". Intervals ({percent(certificate.confidence)}) resample {resampled} and repetitions."
    ]
    if certificate.strategy == PLAIN:
        sentences.append("“plain” transfers nothing, so the linear head on the backbone stands for transfer below.")
    if certificate.strategy != followed(certificate):
        sentences.append(
            f"The followed strategy, {certificate.strategy}, was not compared; `compare.strategies` can name it. "
            "The linear head stands in its place."
        )
    if not certificate.enough:
        sentences.append(
            f"{certificate.test_examples:,} test {examples.many} cannot rank these strategies: their differences are known to within several points only. "
            f"Take the cheapest strategy that is not worse, and label more test {examples.many}."
        )
    target = certificate.judged_by
    strategies = (entry for entry in certificate.entries if entry.role == "strategy")
    best = max(strategies, key=lambda entry: entry.score.headline(target).value)
    if best.lead is not None and best.lead.headline(target).low <= 0:
        sentences.append(
            f"The highest value is that of {best.name}, and it is not shown to be better than the linear head."
        )
    return tuple(sentences)


def headings(certificate: Certificate) -> tuple[str, str]:
    """The headings of the columns of both scores, the deciding one first."""
    target = certificate.judged_by
    return (target.title, "macro F1" if target.headline == "accuracy" else target.right)


def scores(certificate: Certificate, entry: Entry) -> tuple[Estimate, Estimate]:
    """An entry's scores in the order of `headings`."""
    both = (entry.score.accuracy, entry.score.macro_f1)
    return both if certificate.judged_by.headline == "accuracy" else both[::-1]


def lead_of(certificate: Certificate, entry: Entry) -> str:
    """The lead over the linear head, for the table."""
    return "" if entry.lead is None else points(entry.lead.headline(certificate.judged_by))


def line(certificate: Certificate, ruling: Ruling, examples: Words) -> str:
    """A ruling, for people."""
    over, right = _baseline(certificate, ruling, examples), certificate.judged_by.right
    verdict = VERBS[ruling.verdict].format(many=examples.many)
    return f"Against {over}, {verdict}: {points(ruling.lead.accuracy)} of {right}, {points(ruling.lead.macro_f1)} of macro F1."


def _baseline(certificate: Certificate, ruling: Ruling, examples: Words) -> str:
    if ruling.over == MAJORITY:
        return f"always naming {certificate.judged_by.constantly}"
    return BASELINES[ruling.over].format(plain=examples.plain)
