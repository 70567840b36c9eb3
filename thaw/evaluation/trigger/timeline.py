"""The timeline of a stream: its scores, its events, and the true triggers where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.evaluation.trigger.measures import Moment
from thaw.targets.trigger.events import events
from thaw.targets.trigger.evidence import Evidence, Scored
from thaw.targets.trigger.matching import Matched, Truth, match

TOLERANCE_S = 1.0
"""An event may come so much later than its trigger ends."""

LONGER_S = 10.0
"""Shorter recordings have no timeline that is worth a look."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """truths: the triggers in the stream, in seconds of its file; None: nobody knows."""

    scored: Scored
    word: str
    threshold: float
    refractory: int
    truths: Sequence[Truth] | None = None

    @property
    def events(self) -> tuple[Moment, ...]:
        """In the order of their times; a moment is where the score first passes the threshold."""
        scores = self.scored.scores
        return tuple(
            Moment(self.scored, self.scored.at_s(int(place)), float(scores[place]) - self.threshold)
            for place in events(scores, self.threshold, self.refractory)
        )

    @property
    def matched(self) -> Matched | None:
        """The events beside the truths."""
        if self.truths is None:
            return None
        return match([event.at_s for event in self.events], self.truths, TOLERANCE_S)


def nearest_recording(evidence: Evidence) -> Timeline | None:
    """The recording without the trigger that has the highest score, a longer one if there is any; None: no recording is long enough for a score."""
    longer = [each for each in evidence.others if each.hours * 3600 >= LONGER_S]
    loudest = max(longer or evidence.others, key=lambda each: each.peak, default=None)
    if loudest is None or not len(loudest.scores):
        return None
    return Timeline(loudest, evidence.word, evidence.promise.threshold, evidence.refractory, truths=())
