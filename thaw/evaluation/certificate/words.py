"""The certificate in plain words."""

from thaw.pages.layout import percent, points
from thaw.strategies.certificate.record import Certificate, Entry, Ruling

BASELINES = {
    "random_backbone": "the same network with random weights, frozen",
    "scratch": "the same network trained from scratch",
    "majority": "always naming the most frequent class",
}
VERBS = {
    "helps": "transfer helps",
    "hurts": "transfer hurts",
    "can't tell": "whether transfer helps, these images can't tell",
}


def verdict(certificate: Certificate) -> str:
    """The first sentence."""
    entry = certificate.entry(followed(certificate))
    reached = entry.score.accuracy
    sentence = (
        f"“{certificate.strategy}” is right on {percent(reached.value)} of {certificate.test_images} test images "
        f"({percent(reached.low)} to {percent(reached.high)})"
    )
    against = [ruling for ruling in certificate.rulings if ruling.over == "scratch"] or list(certificate.rulings)
    if not against:
        return f"{sentence}."
    return f"{sentence}; against {BASELINES[against[0].over]}, {VERBS[against[0].verdict]}."


def followed(certificate: Certificate) -> str:
    """The entry that stands for the followed strategy: its own, or the linear head where it was not compared."""
    names = {entry.name for entry in certificate.entries}
    return certificate.strategy if certificate.strategy in names else "linear"


def remarks(certificate: Certificate) -> tuple[str, ...]:
    """What must be known to read the figures rightly."""
    draws = f"{len(certificate.seeds)} repetition{'s' if len(certificate.seeds) > 1 else ''}"
    said = [
        f"Each way to learn had {draws} with {certificate.training_images} labelled images"
        + (", other ones in each" if certificate.redrawn else "")
        + f". Intervals ({percent(certificate.confidence)}) resample test images and repetitions."
    ]
    if certificate.strategy != followed(certificate):
        said.append(
            f"The strategy that is followed, {certificate.strategy}, was not compared; `compare.strategies` can name it. "
            "The linear head stands in its place."
        )
    if not certificate.enough:
        said.append(
            f"{certificate.test_images} test images cannot rank these strategies: their differences are known to within several points only. "
            "Take the cheapest that is not worse, and label more test images."
        )
    best = max((e for e in certificate.entries if e.role == "strategy"), key=lambda e: e.score.accuracy.value)
    if best.lead is not None and best.lead.accuracy.low <= 0:
        said.append(f"The highest value is that of {best.name}, and it is not shown to be better than the linear head.")
    return tuple(said)


def lead_of(entry: Entry) -> str:
    """The lead over the linear head, for the table."""
    return "" if entry.lead is None else points(entry.lead.accuracy)


def line(ruling: Ruling) -> str:
    """One ruling, for people."""
    return f"Against {BASELINES[ruling.over]}: {ruling.verdict}, {points(ruling.lead.accuracy)} of accuracy, {points(ruling.lead.macro_f1)} of macro F1."
