"""The labels of a source as the target takes them; with a trigger, which recordings show it, and the hours of those that do not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from thaw.dataset.candidates import Candidate, Source
from thaw.dataset.manifest import SPLITS, TRIGGER, Example
from thaw.foundation.errors import BadParameters, BadSource
from thaw.kinds.kind import Cutting, Kind, Stored

_SHOWN = 5


@dataclass(frozen=True)
class Aim:
    """What is asked of the labels. target: `dataset.target`. words: the labels that are triggers."""

    target: str = "auto"
    words: tuple[str, ...] = ()

    @property
    def is_trigger(self) -> bool:
        """Whether the labels say where a trigger is heard."""
        return self.target == TRIGGER

    def of(self, names: Iterable[str]) -> tuple[str, ...]:
        """The triggers among names, sorted."""
        return tuple(sorted(set(names) & set(self.words)))


NO_AIM = Aim()


def aimed(source: Source, aim: Aim, kind: Kind) -> Source:
    """The source with its labels as the target takes them: with a trigger the set of the triggers of each file, which is empty for every other label and for
    none.

    Raises:
        BadParameters: the kind has no triggers, the words are no labels of the source, or slices of triggers are asked for.
        BadSource: the labels are of another target.
    """
    sets = any(candidate.labels is not None for candidate in source.candidates)
    if aim.is_trigger:
        return _with_triggers(source, aim, kind)
    if aim.target != "auto" and sets != (aim.target == "label_sets"):
        column, other = ("labels", "label_sets") if sets else ("label", "one_label")
        raise BadSource(
            f"dataset.target: {aim.target} given, and the source has the labels of a column {column} or of folders; set dataset.target to auto or {other}"
        )
    return source


def corrected_to(example: Example, aim: Aim) -> Example:
    """The example whose label a person may have corrected, with triggers alone among its labels if the target is a trigger."""
    return replace(example, label=None, labels=aim.of(example.names or ())) if aim.is_trigger else example


def hours_without(examples: Sequence[Example], stored: Mapping[str, Stored]) -> list[str]:
    """A sentence with the hours of recordings without a trigger in each split; stored: the content of each file by its path."""
    hours = dict.fromkeys(SPLITS, 0.0)
    for example in examples:
        rate = stored[example.path].rate
        if not example.names and rate:
            hours[example.split] += example.shape[0] / rate / 3600
    shown = ", ".join(f"{count:.2g} in {split}" for split, count in hours.items())
    return [f"Hours without a trigger: {shown}."]


def _with_triggers(source: Source, aim: Aim, kind: Kind) -> Source:
    if not isinstance(kind, Cutting):
        raise BadParameters(
            f"dataset.target: trigger given, and a trigger is heard in recordings, while the data set holds {kind.words.many}; set dataset.target to auto"
        )
    if any(candidate.slices for candidate in source.candidates):
        raise BadParameters(
            "dataset.slices given, and slices are measured for one label an example or sets of labels, while dataset.target is trigger; empty dataset.slices, "
            "and name the speaker or the microphone in the column group, by which the report of a trigger counts misses"
        )
    counts = Counter(name for candidate in source.candidates for name in candidate.names or ())
    known = ", ".join(f"`{name}` ({count})" for name, count in sorted(counts.items())) or "none"
    if not aim.words:
        raise BadParameters(f"trigger.words: none given; name the labels that are triggers, of {known}")
    if unknown := [word for word in aim.words if word not in counts]:
        raise BadParameters(f"trigger.words: {', '.join(unknown)} given, and the source has the labels {known}")
    if any(not candidate.names or not aim.of(candidate.names) for candidate in source.candidates):
        candidates = tuple(_candidate(candidate, aim) for candidate in source.candidates)
        return replace(source, candidates=candidates, notes=(*source.notes, _note(source, aim, counts)))
    raise BadSource(
        "every recording shows a trigger, and the false accepts are counted on recordings without it; add some"
    )


def _candidate(candidate: Candidate, aim: Aim) -> Candidate:
    return replace(candidate, label=None, labels=aim.of(candidate.names or ()))


def _note(source: Source, aim: Aim, counts: Mapping[str, int]) -> str:
    others = sorted(name for name in counts if name not in aim.words)
    shown = ", ".join(f"`{name}`" for name in others[:_SHOWN])
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    unlabelled = sum(candidate.names is None for candidate in source.candidates)
    said = [f"the labels {shown}{more}"] if others else []
    said += [f"{unlabelled} files without a label"] if unlabelled else []
    return f"Triggers: {', '.join(f'`{word}`' for word in sorted(aim.words))}. Without a trigger count {' and '.join(said)}."
