"""The sentences of a drift report."""

from thaw.drift.record import Aspect, DriftReport
from thaw.foundation.files.display_names import in_sentence
from thaw.pages.layout import percent

TITLES: dict[Aspect, str] = {
    "inputs": "Examples",
    "labels": "Labels",
    "confidence": "Confidence",
    "neither": "Share of neither",
}
TESTS: dict[Aspect, str] = {
    "inputs": "kernel two-sample (MMD)",
    "labels": "chi-squared",
    "confidence": "Kolmogorov-Smirnov",
    "neither": "Fisher's exact",
}
_DRIFTED: dict[Aspect, str] = {
    "inputs": "the examples",
    "labels": "the labels that are named",
    "confidence": "the confidence",
    "neither": "the share of `neither`",
}


RETRAIN = "`thaw watch PATH --retrain` starts that run by itself where drift is found"


def verdict(report: DriftReport) -> str:
    """The first sentence of the report."""
    batch = f"{report.rows} new {_examples(report.rows)}"
    if not report.enough:
        few = "new examples" if report.rows < report.needed else "test examples of the model"
        count = report.rows if report.rows < report.needed else report.unseen_rows
        return f"There are too few examples to tell: {count} {few} can be compared, and {report.needed} are needed (watch.min_rows)."
    if not report.drifted:
        return f"No drift was found in {batch}."
    return f"Drift was found in {batch}: {listed(report)} differ from those that version {report.origin.version} was measured on."


def listed(report: DriftReport) -> str:
    """The aspects that drifted, as `the examples and the confidence`."""
    names = [_DRIFTED[finding.what] for finding in report.drifted]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def lines(report: DriftReport) -> tuple[str, ...]:
    """A sentence for each aspect that was compared."""
    sentences = []
    if report.separation is not None:
        sentences.append(
            f"Examples: a linear classifier that did not learn from them tells a new one from a held-out one in {percent(report.separation.auroc)} of pairs "
            "(50 % by chance)."
        )
    if report.labels:
        first = report.labels[0]
        sentences.append(
            f'Labels: the largest shift is of "{in_sentence(first.name)}", named for {percent(first.new)} of the new examples and '
            f"{percent(first.reference)} of the test examples."
        )
    if report.confidence is not None:
        mean = report.confidence
        sentences.append(
            f"Confidence: {percent(mean.new)} on average, and {percent(mean.reference)} on the test examples."
        )
    if report.neither is not None:
        new, before = report.neither.new, report.neither.reference
        sentences.append(
            f"Share of `neither`: {percent(new.value)} ({percent(new.low)} to {percent(new.high)}), and {percent(before.value)} "
            f"({percent(before.low)} to {percent(before.high)}) of the test examples."
        )
    return tuple(sentences)


def remarks(report: DriftReport) -> tuple[str, ...]:
    """Sentences on how to read the report."""
    sentences = []
    if report.findings:
        sentences.append(
            f"All tests of a batch together raise a false alarm in at most {percent(report.false_alarms)} of the batches whose examples are drawn one by one "
            f"like the held-out examples (`watch.false_alarms`; {len(report.findings)} tests, p-values by Holm, {report.permutations} regroupings). "
            "Examples that come in bursts, such as the frames of one video, are alike, and count as drift."
        )
    if left := _left_out(report):
        sentences.append(f"Left out: {left}.")
    if report.other_way:
        sentences.append(
            "The features of this batch were computed in another way than the reference's (precision, decoding or preprocessing). Part of a difference may "
            "come from that."
        )
    return tuple(sentences)


def next_steps(report: DriftReport) -> tuple[str, ...]:
    """Proposals for the person who reads the report."""
    if not report.drifted:
        return ()
    return (
        "look at the new examples: did their origin change, are they of another sort, do they show things of no known class?",
        "add some of them with labels to the source; then `thaw run` trains on them and `thaw promote` decides",
    )


def p(value: float) -> str:
    """A p-value: 0.0005 as `0.0005`, 0.31234 as `0.31`; a value below 0.0001 as `< 0.0001`."""
    return "<\u00a00.0001" if value < 0.0001 else f"{value:.2g}"


def _left_out(report: DriftReport) -> str:
    left = report.left_out
    parts = (
        (left.unusable, "could not be used"),
        (left.copies, "copies of others"),
        (left.reference, "held-out examples themselves"),
        (left.beyond, "beyond the largest number that is compared"),
    )
    return ", ".join(f"{count} {reason}" for count, reason in parts if count)


def _examples(count: int) -> str:
    return "example" if count == 1 else "examples"
