"""Drift in plain words."""

from thaw.drift.record import DriftReport, What
from thaw.foundation.files.display_names import shown
from thaw.pages.layout import percent

TITLES: dict[What, str] = {
    "inputs": "Images",
    "labels": "Labels",
    "confidence": "Confidence",
    "neither": "Share of neither",
}
TESTS: dict[What, str] = {
    "inputs": "kernel two-sample (MMD)",
    "labels": "chi-squared",
    "confidence": "Kolmogorov-Smirnov",
    "neither": "Fisher's exact",
}
_DRIFTED: dict[What, str] = {
    "inputs": "the images",
    "labels": "the labels that are named",
    "confidence": "the confidence",
    "neither": "the share of `neither`",
}


RETRAIN = "`thaw watch PATH --retrain` starts that run by itself where drift is found"


def verdict(report: DriftReport) -> str:
    """The first sentence."""
    batch = f"{report.rows} new {_images(report.rows)}"
    if not report.enough:
        few = "new images" if report.rows < report.needed else "test images of the model"
        count = report.rows if report.rows < report.needed else report.unseen_rows
        return f"Too few to tell: {count} {few} to compare, and it takes {report.needed} (watch.min_rows)."
    if not report.drifted:
        return f"No drift was found in {batch}."
    return f"Drift was found in {batch}: {listed(report)} differ from what version {report.origin.version} was measured on."


def listed(report: DriftReport) -> str:
    """What has drifted, as `the images and the confidence`."""
    names = [_DRIFTED[one.what] for one in report.drifted]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def lines(report: DriftReport) -> tuple[str, ...]:
    """A sentence on each thing that was compared."""
    said = []
    if report.separation is not None:
        said.append(
            f"Images: a linear classifier that never saw the two tells a new image from a held-out one in {percent(report.separation.auroc)} of pairs "
            "(50 %: as a coin would)."
        )
    if report.labels:
        first = report.labels[0]
        said.append(
            f'Labels: the largest shift is of "{shown(first.name)}", named for {percent(first.new)} of the new images and {percent(first.reference)} of the '
            "test images."
        )
    if report.confidence is not None:
        mean = report.confidence
        said.append(f"Confidence: {percent(mean.new)} on average, and {percent(mean.reference)} on the test images.")
    if report.neither is not None:
        new, before = report.neither.new, report.neither.reference
        said.append(
            f"Share of `neither`: {percent(new.value)} ({percent(new.low)} to {percent(new.high)}), and {percent(before.value)} "
            f"({percent(before.low)} to {percent(before.high)}) of the test images."
        )
    return tuple(said)


def remarks(report: DriftReport) -> tuple[str, ...]:
    """What must be known to read it rightly."""
    said = []
    if report.findings:
        said.append(
            f"All tests of a batch together raise a false alarm in at most {percent(report.false_alarms)} of the batches whose images are drawn as the "
            f"held-out ones were, each by itself (`watch.false_alarms`; {len(report.findings)} tests, p-values by Holm, {report.permutations} regroupings). "
            "Pictures that come in bursts, such as the frames of one video, are alike, and count as drift."
        )
    if left := _left_out(report):
        said.append(f"Left out: {left}.")
    if report.other_way:
        said.append(
            "The features of this batch were computed in another way than the reference's (precision, decoding or preprocessing); part of a difference may "
            "come from that."
        )
    return tuple(said)


def next_steps(report: DriftReport) -> tuple[str, ...]:
    """What to do about it, as commands and what they are for."""
    if not report.drifted:
        return ()
    return (
        "look at the new images: a camera that moved, another kind of file, things of no known class?",
        "add some of them, with labels, to the source; then `thaw run` trains on them and `thaw promote` decides",
    )


def p(value: float) -> str:
    """A p-value: 0.0005 as `0.0005`, 0.31234 as `0.31`; what is smaller than 0.0001 as `< 0.0001`."""
    return "<\u00a00.0001" if value < 0.0001 else f"{value:.2g}"


def _left_out(report: DriftReport) -> str:
    left = report.left_out
    parts = (
        (left.unusable, "could not be used"),
        (left.copies, "copies of others"),
        (left.reference, "held-out images themselves"),
        (left.beyond, "beyond the most that are compared"),
    )
    return ", ".join(f"{count} {what}" for count, what in parts if count)


def _images(count: int) -> str:
    return "image" if count == 1 else "images"
