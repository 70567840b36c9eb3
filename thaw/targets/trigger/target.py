"""A trigger as a target: a set of labels whose classes are the triggers, and which is empty for a recording without one."""

from dataclasses import dataclass
from typing import ClassVar

from thaw.targets.label_sets.target import LabelSets
from thaw.targets.target import TargetName


@dataclass(frozen=True)
class Trigger(LabelSets):
    """See `thaw.targets.target.Target`. A recording is right if the triggers that are heard in it are those that it shows."""

    name: ClassVar[TargetName] = "trigger"
    words: ClassVar[str] = "triggers"
    answers: ClassVar[tuple[str, ...]] = ("labels",)
    right: ClassVar[str] = "share of right recordings"
    suspected: ClassVar[str] = (
        "Detectors that never learnt from these {many} hear a trigger that their label does not name (a false accept, or a wrong label), or miss a trigger "
        "that it names (a miss, or a wrong label); the player begins at most 6 seconds before that."
    )


TRIGGER = Trigger()
