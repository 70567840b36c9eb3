"""The sentences on the tuning of openness. `examples` are the words for the examples of the kind."""

from thaw.foundation.files.display_names import in_sentence
from thaw.heads.open_set.fitted import Tuning
from thaw.kinds.kind import Words

TITLES = {
    "max_probability": "Largest probability",
    "energy": "Energy",
    "mahalanobis": "Distance to the class means",
    "neighbours": "Distance to the nearest neighbours",
    "background": "Background class",
}
"""The titles of the scores."""
TOO_MANY = 0.25
"""The share of rejected known examples above which a sentence says so."""


def describe(tuning: Tuning, examples: Words) -> tuple[str, ...]:
    """A sentence on the result, and a sentence on each of its limits."""
    chosen = tuning.chosen
    source = "of the background class" if tuning.unknown == "background" else "of classes left out in turn"
    sentences = [
        f"{TITLES[chosen.score]} tells known from unknown: of {tuning.n} held-out {examples.many} {source} {_percent(chosen.false_accepts)} would be accepted "
        f"(at most {_percent(chosen.upper)} of such {examples.many}, with {_percent(tuning.confidence)} confidence), and {_percent(chosen.false_rejects)} of "
        f"{tuning.known} known {examples.many} rejected"
    ]
    if not tuning.reached:
        sentences.append(_not_reached(tuning, examples))
    if tuning.unknown == "classes left out":
        worst = chosen.classes[0]
        most = f'of one class, "{in_sentence(worst.name)}", {_percent(worst.accepted)} would be accepted, and '
        sentences.append(
            f"the bound is for {examples.many} like those of the classes left out; {most if worst.accepted else ''}"
            "a class that is more similar to your classes than they are to each other may be accepted more often"
        )
        if tuning.seen:
            sentences.append(
                "the backbone was fine-tuned on these classes too, and keeps them apart even if they are left out: new classes may be accepted more often "
                "than the bound says"
            )
        if len(chosen.classes) == 2:
            sentences.append(
                "two classes say little of others: in tuning one class was known, and only the other was unknown"
            )
    if chosen.false_rejects > TOO_MANY:
        sentences.append(
            f"{_percent(chosen.false_rejects)} of the known {examples.many} are rejected: these features hardly tell unknown from known; raise "
            f"openness.false_accepts, take another backbone or layer, or label {examples.many} of everything else as a class (openness.background)"
        )
    return tuple(sentences)


def _not_reached(tuning: Tuning, examples: Words) -> str:
    asked, chosen = _percent(tuning.rate), tuning.chosen
    if tuning.n < tuning.needed:
        return (
            f"{asked} cannot be shown with {tuning.n} {examples.many} in the place of unknown ones: it takes {tuning.needed} or more, and none of them may be "
            f"accepted; the threshold is the best possible one, and its bound is {_percent(chosen.upper)}; "
            f"label more {examples.many}, or raise openness.false_accepts"
        )
    return f"{asked} is not reached; the bound is {_percent(chosen.upper)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
