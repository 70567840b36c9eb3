"""The gate `misses`: at one common budget of false accepts a new version must not miss the triggers more often."""

from collections.abc import Sequence

from thaw.foundation.files.display_names import in_sentence
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates.outcome import Outcome, failed, not_asked, not_measured, passed
from thaw.pages.layout import percent, points
from thaw.targets.trigger.common_budget import HeardClips, MissesCompared, compare_misses

GATE = "misses"
FILE = "heard_clips.json"


def misses(
    champion: Sequence[HeardClips] | None, challenger: Sequence[HeardClips] | None, resampling: Resampling
) -> Outcome:
    """The gate refuses a version that is shown to miss a word more often than the champion: the paired interval of the difference lies above zero.

    champion: None: not measured, as in older versions.
    """
    if challenger is None:
        return not_measured(GATE, FILE)
    known = {each.word: each for each in champion or ()}
    pairs = [compare_misses(known[each.word], each, resampling) for each in challenger if each.word in known]
    compared = [pair for pair in pairs if pair is not None]
    if not compared:
        return not_asked(GATE, "the champion has no misses of the same clips to compare with")
    worse = [each for each in compared if each.more.low > 0]
    words = "; ".join(map(_counted, worse or compared))
    figures = {
        f"{each.word}_{name}": value
        for each in compared
        for name, value in (("more", each.more.value), ("more_low", each.more.low), ("more_high", each.more.high))
    }
    if worse:
        return failed(GATE, f"more misses than the champion: {words}", figures)
    return passed(GATE, f"not shown to miss more than the champion: {words}", figures)


def _counted(each: MissesCompared) -> str:
    shares = f"{percent(each.challenger)} against {percent(each.champion)} of {each.clips} test clips"
    return f"{in_sentence(each.word)} {shares} at {each.budget:g} false accepts an hour, {points(each.more)}"
