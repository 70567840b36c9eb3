"""The sentences of the report of a trigger."""

import math
from collections.abc import Sequence

from thaw.evaluation.trigger.measures import FalseAccepts, GroupMisses, Misses, WithoutNetwork
from thaw.evaluation.trigger.timeline import Timeline
from thaw.foundation.files.display_names import in_sentence
from thaw.pages.layout import percent, points, points_of
from thaw.targets.trigger.evidence import Evidence
from thaw.targets.trigger.promise import Promise, two_digits

WIDE = 0.1
"""An interval of misses from so wide on asks for more clips."""
_PARTED = {
    "groups": "Every clip trained the model, so detectors that are trained like it stand for it here: each learned from all but one of {folds} parts of the "
    "clips, and scored the clips of that part. No group of clips is in two parts.",
    "clips": "Every clip trained the model, so detectors that are trained like it stand for it here: each learned from all but one of {folds} parts of the "
    "clips, and scored the clips of that part. All clips are of one group, so another speaker may be missed more often.",
    "splits": "These clips are of the test split, which trained nothing.",
}
_UNHEARD = "Recordings without the trigger that neither trained the model nor tuned its threshold."
_TUNED = (
    "Recordings without the trigger that trained nothing, but they tuned the threshold. The bound holds for it all the same, because the hours alone decide "
    "how many events may pass."
)


def verdict(evidence: Evidence, misses: Sequence[Misses]) -> str:
    """The first sentence of the page."""
    word, promise = in_sentence(evidence.word), evidence.promise
    promised = f"{two_digits(promise.bound)} false accepts an hour"
    asked = "" if promise.within_budget else f", not the {promise.budget.false_accepts_per_hour:g} asked for"
    if not misses:
        return f"“{word}” comes with at most {promised}{asked}; no clip of it can say how often it is missed."
    share = misses[0].share
    return f"Of the clips of “{word}”, {percent(share.value)} are missed ({percent(share.low)} to {percent(share.high)}), at no more than {promised}{asked}."


def how_missed(evidence: Evidence, groups: Sequence[GroupMisses]) -> str:
    """How the misses were measured."""
    sentence = _PARTED[evidence.parted].format(folds=len(evidence.trials))
    if groups or evidence.parted != "groups":
        return sentence
    return f"{sentence} Each clip is a group of its own, so clips of one speaker may lie in several parts."


def worth(without: WithoutNetwork | None) -> str:
    """What the network is worth, in one sentence; empty if it was not measured."""
    if without is None:
        return ""
    more, spread = without.more, points(without.more)
    told = f"The same detector on log-mel spectra, without the network, misses {percent(without.share.value)} at its own threshold for the same budget"
    if more.low > 0:
        return f"{told}: the network is worth {spread}."
    if more.high < 0:
        return f"{told}: the network does harm here ({spread}), so take another one."
    return f"{told} ({spread}), so these clips do not show what the network is worth."


def how_accepted(evidence: Evidence) -> str:
    """On which sound the false accepts were counted."""
    return _UNHEARD if evidence.unheard else _TUNED


def counted(accepts: FalseAccepts | Promise) -> str:
    """The false accepts, as they were counted."""
    return f"{events(accepts.accepted)} in {two_digits(accepts.hours)} hours of {accepts.groups} groups"


def events(count: int) -> str:
    """A number of events."""
    return f"{count} event{'' if count == 1 else 's'}"


def ratio(snr: float) -> str:
    """A ratio of sound to noise."""
    return "clean" if math.isinf(snr) else f"{snr:g} dB"


def margin(above: float) -> str:
    """A score beside the threshold."""
    if math.isinf(above):
        return "too short for a score"
    return f"{abs(above):.1f} {'above' if above > 0 else 'below'} the threshold"


def advice(evidence: Evidence, misses: Sequence[Misses], groups: Sequence[GroupMisses]) -> tuple[str, ...]:
    """The proposals for the next steps, from the measurements."""
    sentences, promise = list[str](), evidence.promise
    if not promise.within_budget:
        sentences.append(
            f"{two_digits(promise.missing_hours)} more hours without the trigger, of many speakers and places, could show the budget of "
            f"{promise.budget.false_accepts_per_hour:g} false accepts an hour."
        )
    if misses and misses[0].share.high - misses[0].share.low > WIDE:
        width = points_of(misses[0].share.high - misses[0].share.low)
        sentences.append(f"The interval of the misses is {width} wide: more clips would narrow it.")
    if misses and not groups and evidence.parted == "groups":
        sentences.append(
            "Put the clips of each speaker into a folder of their own: the misses are then those of new speakers."
        )
    if len(misses) == 1:
        sentences.append("No noise was given, so nothing is known of the trigger in noise: record some of the place.")
    return (*sentences, "`thaw listen FILE --timeline PAGE.html` draws the scores of a recording with its events.")


def timeline_verdict(timeline: Timeline) -> str:
    """The first sentence of a timeline's page."""
    count = len(timeline.events)
    times = {0: "is not heard", 1: "is heard once"}.get(count, f"is heard {count} times")
    name, length = in_sentence(timeline.scored.path), clock(timeline.scored.hours * 3600)
    return f"“{in_sentence(timeline.word)}” {times} in {name} ({length})."


def timeline_caption(timeline: Timeline) -> str:
    """What the timeline shows, after the name of its recording."""
    matched = timeline.matched
    seen = "The highest score of each moment, less the threshold; the dashed line is the threshold, and the dots are the events."
    if matched is None:
        return seen
    if not timeline.truths:
        return f"{seen} The trigger is not in it, so every event is a false accept."
    found = f"{len(matched.hits)} of {len(timeline.truths)} triggers are heard, with {len(matched.false)} false accepts"
    return f"{seen} The triggers are shaded, the missed ones orange, and so are false accepts: {found}."


def clock(seconds: float) -> str:
    """A time as 12.3 s below a minute, and as minutes or hours from there on."""
    if seconds < 60:
        return f"{seconds:.3g}\u202fs"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
