"""The stages of a run, and its outcome. Nothing here loads Prefect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.dvc.output_parser import Outcome
from flows.dvc.reproduce import Result
from flows.dvc.stage_graph import Stage, needed_for
from flows.dvc.stage_parameters import HANDING

if TYPE_CHECKING:
    from tasks.registry.attempt import Promotion
    from tasks.registry.registering import Registered


@dataclass(frozen=True)
class Selection:
    """The stages to run: `only` this stage, or `until` this stage with all stages that it needs; both None: all."""

    only: str | None = None
    until: str | None = None

    def names(self) -> tuple[str, ...]:
        """The words for the name of a run; none for all stages."""
        if self.only is not None:
            return (self.only,)
        return () if self.until is None else (f"until {self.until}",)


@dataclass(frozen=True)
class Transfer:
    """The outcome of a run of the pipeline."""

    stages: tuple[Result, ...]
    registered: "Registered | None" = None
    """The version of the model; None if the run was not meant to make one."""
    promotion: "Promotion | None" = None
    """The decision of the promotion; None if there was no promotion."""

    @property
    def nothing_to_do(self) -> bool:
        fresh = all(result.outcome is Outcome.UP_TO_DATE for result in self.stages)
        return fresh and not (self.registered and self.registered.made)


def choose(stages: Sequence[Stage], selection: Selection) -> tuple[Stage, ...]:
    """The selected stages, in the order of `stages`. A single stage comes with those that hand it its code and its parameters."""
    if selection.until:
        return needed_for(stages, selection.until)
    return tuple(stage for stage in stages if selection.only in (None, stage.name) or stage.name in HANDING)
