"""Promotions: the gates move the alias `champion` forward, and every decision is recorded.

The alias moves last. A kill before that leaves the champion as it was, and the next try continues from there; see `tasks.registry.champion_move`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.registry.attempt import Promotion, alone, completed, move, now, user
from tasks.registry.bars import barred, why_barred
from tasks.registry.champion_move import finish_move
from tasks.registry.gate_evidence import gather
from tasks.registry.judgements import best_so_far, judgements
from tasks.registry.outside_moves import notice
from tasks.registry.promotion_history import (
    LONGEST_REASON,
    PROMOTE,
    REFUSE,
    Event,
    champions_before,
    cut,
    in_short,
)
from tasks.registry.registry import CHALLENGER, CHAMPION, ModelVersion, Registry, open_registry
from tasks.registry.version_page import tell_gates
from thaw.foundation.errors import RegistryError
from thaw.foundation.files.atomic import write_text
from thaw.gates.anchor import GATE as ANCHOR
from thaw.gates.deciding import Decision, decide
from thaw.gates.page import Contest, life, render_decision
from thaw.gates.wear import sketch_of
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of

PAGE = Path("data/promotion/promotion.html")


@dataclass(frozen=True)
class _Judged:
    """A challenger, the champion of that time, the best champion so far, and the decision. override: the reason of a person to overrule the gates."""

    challenger: int
    champion: int | None
    anchor: int | None
    decision: Decision
    override: str

    @property
    def promoted(self) -> bool:
        return self.decision.promote or bool(self.override)


def promote(
    params: Params, *, dry_run: bool = False, force: bool = False, override: str = "", flow_run: str = ""
) -> Promotion:
    """Ask the gates about the challenger, and move the alias if none refuses; `data/promotion/promotion.html` shows their outcomes.

    A second call changes nothing: a challenger that is the champion stays the champion, and the same refusal is not recorded twice, unless `force` is set.
    `dry_run` reports the result of a promotion, and writes nothing to MLflow. `override` is the reason of a person to promote the challenger although gates
    refuse; the history, the version's tags and the page keep it. A barred version is refused whatever the gates say.

    Raises:
        RegistryError: there is no challenger, the champion was deleted or lost its alias outside Thaw, or there is nothing to override.
        InUse: another process moved the alias meanwhile.
    """
    with alone():
        registry = open_registry(params.registry)
        finished = None if dry_run else finish_move(registry)
        if not dry_run:
            notice(registry)
        history = registry.history()  # read before the aliases, so that a later move has the same number as ours
        challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
        if challenger is None:
            raise RegistryError(
                f"{registry.name} has no version with the alias `{CHALLENGER}`; `thaw run` registers one"
            )
        if finished is not None and (finished.kind, finished.version) == (PROMOTE, challenger.number):
            return completed(registry, finished)
        if champion is None:
            _refuse_if_lost(registry)
        former = champion.number if champion else None
        if former == challenger.number:
            return Promotion(registry.name, challenger.number, former, promoted=True, moved=False, reason="")
        bars = barred(history)
        if challenger.number in bars:
            reason = why_barred(challenger.number, bars[challenger.number])
            return Promotion(registry.name, challenger.number, former, promoted=False, moved=False, reason=reason)
        judged = _judge(registry, params, history, (champion, challenger), override)
        event = _event(judged, flow_run)
        repeated = event.kind == REFUSE and any(event.says_the_same_as(entry) for entry in history[-1:])
        write_text(PAGE, _page(registry, judged, event, params))
        if not dry_run and (force or not repeated):
            registry.log_file(challenger, PAGE, PAGE.parent.name)
        if not dry_run and judged.promoted:
            lost = move(registry, event, history)
            if lost is not None:
                return lost
            if judged.override:
                registry.tag(challenger.number, override=event.reason)
        elif not dry_run:
            _refuse(registry, event, record=force or not repeated)
    comparison = judged.decision.comparison
    return Promotion(
        registry.name, challenger.number, former, judged.promoted, moved=judged.promoted and not dry_run,
        reason=event.reason, figures=judged.decision.figures, repeated=repeated, gates=judged.decision.outcomes, page=PAGE,
        test_rows="" if comparison is None else life(comparison),
    )  # fmt: skip


def _judge(
    registry: Registry,
    params: Params,
    history: Sequence[Event],
    versions: tuple[ModelVersion | None, ModelVersion],
    override: str,
) -> _Judged:
    """Ask the gates.

    Raises:
        RegistryError: an override is given, and no gate refuses.
    """
    champion, challenger = versions
    existing = {version.number: version for version in registry.versions()}
    best = None if champion is None else best_so_far(history, tuple(existing), champion.number)
    anchor = None if best is None or champion is None or best == champion.number else existing[best]
    evidence = gather(registry, champion, challenger, anchor, judgements(history, challenger.number))
    decision = decide(evidence, params.promotion, resampling_of(params.statistics))
    if override and decision.promote:
        raise RegistryError(
            "no gate refuses the challenger, so there is nothing to override; `thaw promote` promotes it"
        )
    return _Judged(challenger.number, champion.number if champion else None, best, decision, override)


def _refuse(registry: Registry, event: Event, *, record: bool) -> None:
    if record:
        registry.record(event)
    registry.tag(event.version, promotion=event.kind, reason=event.reason)
    tell_gates(registry, event)


def _refuse_if_lost(registry: Registry) -> None:
    """Refuse a promotion after the champion was deleted: the next version must not become the champion without a comparison."""
    before = champions_before(registry.history(), None)
    existing = {version.number for version in registry.versions()}
    left = [number for number in before if number in existing]
    if left:
        raise RegistryError(
            f"the champion of {registry.name}, version {before[0]}, was deleted or lost its alias; "
            f"`thaw rollback` gives the alias to version {left[0]}, then promote again"
        )


def _page(registry: Registry, judged: _Judged, event: Event, params: Params) -> str:
    override = f"{event.who}: {judged.override}" if judged.override else ""
    contest = Contest(registry.name, judged.challenger, judged.champion, event.when, judged.anchor, override)
    comparison = judged.decision.comparison
    changed = () if comparison is None else comparison.changes.shown
    from tasks.registry.changed_previews import previews_of  # decodes examples, which takes PyTorch

    return render_decision(judged.decision, contest, previews_of(changed, params))


def _event(judged: _Judged, flow_run: str) -> Event:
    decision, comparison = judged.decision, judged.decision.comparison
    return Event(
        PROMOTE if judged.promoted else REFUSE, now(), user(), judged.challenger, judged.champion,
        cut(_reason(judged), LONGEST_REASON), flow_run,
        figures=decision.figures.numbers if decision.figures else {}, gates=in_short(decision.outcomes),
        anchor=_next_anchor(judged), sketch=() if comparison is None else sketch_of(comparison.digests),
        override=judged.override,
    )  # fmt: skip


def _reason(judged: _Judged) -> str:
    if not judged.override:
        return judged.decision.short
    refusing = ", ".join(outcome.gate for outcome in judged.decision.refusing)
    return f"overridden by {user()}: {judged.override} (refused by {refusing})"


def _next_anchor(judged: _Judged) -> int | None:
    """The best champion after a promotion; None for a refusal.

    The challenger is the best if it is the first or shown to be better. It is the best, too, if a person has overridden the comparison with the best champion;
    otherwise every later version would be refused.
    """
    if not judged.promoted:
        return None
    comparison = judged.decision.comparison
    overridden = judged.override and any(outcome.gate == ANCHOR for outcome in judged.decision.refusing)
    if comparison is None or comparison.leads or overridden:
        return judged.challenger
    return judged.anchor if comparison.anchored else judged.champion
