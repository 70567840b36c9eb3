"""The gate `false accepts`: a trigger must not be heard more often in sound without it than its promise states."""

from collections.abc import Sequence

from thaw.foundation.files.display_names import in_sentence
from thaw.gates.outcome import Outcome, failed, not_measured, passed
from thaw.targets.trigger.kept_promise import KeptPromise
from thaw.targets.trigger.promise import two_digits

GATE = "false accepts"
FILE = "false_accepts.json"


def false_accepts(counted: Sequence[KeptPromise] | None) -> Outcome:
    """The gate refuses a word whose rate on the test recordings is shown to be above the stated bound: the lower bound of the rate lies above it.

    counted: on recordings that tuned nothing; None: not measured.
    """
    if counted is None:
        return not_measured(GATE, FILE)
    broken = [each for each in counted if each.is_broken]
    words = "; ".join(_counted(each) for each in broken or counted) or "there is no test recording without a trigger"
    figures = {
        f"{each.word}_{name}": value
        for each in counted
        for name, value in (("an_hour", each.an_hour), ("stated", each.stated))
    }
    if broken:
        return failed(GATE, f"more false accepts than stated: {words}", figures)
    return passed(GATE, f"no more false accepts than stated: {words}", figures)


def _counted(each: KeptPromise) -> str:
    return (
        f"{in_sentence(each.word)} {each.accepted} in {two_digits(each.hours)} test hours ({two_digits(each.floor)} to {two_digits(each.bound)} an hour), and "
        f"{two_digits(each.stated)} an hour is stated"
    )
