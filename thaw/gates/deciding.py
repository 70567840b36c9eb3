"""The decision of all gates together. A challenger is promoted if no gate refuses."""

from dataclasses import dataclass, replace

from thaw.dataset.slices import Slices
from thaw.evaluation.checks import Checks
from thaw.foundation.statistics.bootstrap import USUAL, Resampling
from thaw.gates import anchor, calibration, measured, misses, paired_test, recall
from thaw.gates.changed import Changes, changes_of
from thaw.gates.false_accepts import false_accepts
from thaw.gates.margin import judgements_left, margin_of
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked
from thaw.gates.paired_test import Figures, Rule, is_better
from thaw.gates.pairing import Paired, pair
from thaw.gates.parity import Parity, parity
from thaw.gates.slices import GATE as SLICES
from thaw.gates.slices import slices
from thaw.gates.wear import Judgement, Wear, wear_of
from thaw.models.serving_cost import ServingCost
from thaw.params.sections import PromotionParams
from thaw.targets.predictions import Predictions
from thaw.targets.supports import supports
from thaw.targets.trigger.common_budget import HeardClips
from thaw.targets.trigger.kept_promise import KeptPromise

FIRST = "there is no champion yet, so the first version becomes it"
_COMPARING = (measured.ROWS, paired_test.GATE, anchor.GATE, recall.GATE, SLICES, calibration.GATE)


@dataclass(frozen=True)
class Evidence:
    """The input of the gates: both models' predictions on their test rows (champion None: there is none yet), and measurements of the challenger alone (None:
    not measured). anchor: the predictions of the best champion so far; None: the champion is the best. earlier: the judgements before. false_accepts,
    heard_clips: of the challenger's triggers. champion_heard: the champion's clips. slices: of the challenger's test rows."""

    champion: Predictions | None
    challenger: Predictions
    checks: Checks | None = None
    cost: ServingCost | None = None
    parity: Parity | None = None
    anchor: Predictions | None = None
    earlier: tuple[Judgement, ...] = ()
    false_accepts: tuple[KeptPromise, ...] | None = None
    slices: Slices | None = None
    heard_clips: tuple[HeardClips, ...] | None = None
    champion_heard: tuple[HeardClips, ...] | None = None


@dataclass(frozen=True)
class Comparison:
    """The comparison of both models on their test rows in common.

    figures: of the paired test. margin: the accepted loss. wear: of the rows. judgements_left: before new test labels are due. better: whether the challenger
    is shown to be better than the champion. leads: whether it is shown to be better than the best champion so far. anchored: whether the best champion so far
    could be compared; if not, the champion takes its place. digests: of the rows. changes: the rows that both answer differently.
    """

    figures: Figures
    margin: float
    wear: Wear
    judgements_left: int
    better: bool
    leads: bool
    anchored: bool
    digests: tuple[bytes, ...]
    changes: Changes


@dataclass(frozen=True)
class Decision:
    """The outcome of each gate, and the comparison behind them (None if the models were not compared)."""

    outcomes: tuple[Outcome, ...]
    comparison: Comparison | None = None

    @property
    def promote(self) -> bool:
        """Whether no gate refuses."""
        return not self.refusing

    @property
    def refusing(self) -> tuple[Outcome, ...]:
        """The outcomes that refuse."""
        return tuple(outcome for outcome in self.outcomes if outcome.refuses)

    @property
    def figures(self) -> Figures | None:
        """The figures of the paired test; None if the models were not compared."""
        return None if self.comparison is None else self.comparison.figures

    @property
    def reason(self) -> str:
        """One sentence: the words of the gates that refuse, else those of the paired test."""
        return "; ".join(outcome.words for outcome in self._deciding) or FIRST

    @property
    def short(self) -> str:
        """`reason` with the shares of right rows alone in the place of all figures."""
        figures = self.figures
        shares = (
            ""
            if figures is None
            else f" ({figures.challenger_accuracy:.3f} against {figures.champion_accuracy:.3f} on {figures.rows} test rows)"
        )
        return ("; ".join(outcome.short for outcome in self._deciding) or FIRST) + shares

    @property
    def _deciding(self) -> tuple[Outcome, ...]:
        compared = (outcome for outcome in self.outcomes if outcome.gate == paired_test.GATE and self.comparison)
        return self.refusing or tuple(compared)


def decide(evidence: Evidence, params: PromotionParams, resampling: Resampling = USUAL) -> Decision:
    """Ask every gate. The same evidence gives the same decision."""
    alone = (
        measured.leakage(None if evidence.checks is None else evidence.checks.leakage, params.max_leaked),
        measured.near_copies(None if evidence.checks is None else evidence.checks.near_copies, params.max_near_copies),
        measured.suspect_labels(evidence.checks, params.max_suspects),
        measured.latency(evidence.cost, params),
        measured.batch_latency(evidence.cost, params),
        measured.size(evidence.cost, params),
        parity(evidence.parity, params.max_disagreement),
        *_of_triggers(evidence, resampling),
    )
    if evidence.champion is None:
        return Decision((*(not_asked(gate, "there is no champion yet") for gate in _COMPARING), *alone))
    paired = pair(evidence.champion, evidence.challenger)
    if paired is None:
        return Decision((*_of_two_targets(evidence.champion, evidence.challenger), *alone))
    enough = measured.enough_rows(len(paired), params.min_rows)
    if enough.refuses:  # one refusal is enough: the gates below add none
        unknown = (cannot_tell(gate, "there are too few test rows", refuses=False) for gate in _COMPARING[1:])
        return Decision((enough, *unknown, *alone))
    outcomes, comparison = _compared(paired, evidence, params, resampling)
    return Decision((enough, *outcomes, *alone), comparison)


def _of_triggers(evidence: Evidence, resampling: Resampling) -> tuple[Outcome, ...]:
    """The gates of triggers alone."""
    if not supports(evidence.challenger.target, "sequences"):
        return ()
    if evidence.champion is None:
        compared = not_asked(misses.GATE, "there is no champion yet")
    else:
        compared = misses.misses(evidence.champion_heard, evidence.heard_clips, resampling)
    return (false_accepts(evidence.false_accepts), compared)


def _compared(
    paired: Paired, evidence: Evidence, params: PromotionParams, resampling: Resampling
) -> tuple[tuple[Outcome, ...], Comparison]:
    figures = paired_test.measure(paired, resampling)
    wear = wear_of(paired.digests, evidence.earlier, resampling.confidence)
    wrong = 1 - figures.champion_accuracy
    independent = paired.independent(resampling.confidence)
    margin = margin_of(params, independent, wrong, resampling.confidence)
    rule = Rule(params.rule, margin, resampling.confidence, wear.level)
    best = _against_anchor(paired, evidence, params)
    distance = anchor.distance(best or paired, wear)
    return (
        paired_test.paired_test(figures, rule, paired.right),
        anchor.anchor(distance, margin, paired.right),
        recall.recall(paired, params, resampling.confidence),
        slices(paired, evidence.slices, params, resampling.confidence),
        _calibration(paired, evidence, params, resampling),
    ), Comparison(
        figures=figures,
        margin=margin,
        wear=wear,
        judgements_left=judgements_left(replace(wear, rows=independent), wrong, margin),
        better=is_better(figures, rule),
        leads=distance.better,
        anchored=best is not None,
        digests=paired.digests,
        changes=changes_of(paired, evidence.challenger),
    )


def _calibration(paired: Paired, evidence: Evidence, params: PromotionParams, resampling: Resampling) -> Outcome:
    if not supports(evidence.challenger.target, "probabilities"):
        return not_asked(calibration.GATE, "the scores of a trigger are no probabilities")
    return calibration.calibration(paired, params, resampling)


def _against_anchor(paired: Paired, evidence: Evidence, params: PromotionParams) -> Paired | None:
    """The challenger and the best champion so far; None if they have too few rows in common."""
    if evidence.anchor is None:
        return paired
    best = pair(evidence.anchor, evidence.challenger)
    return None if best is None or len(best) < params.min_rows else best


def _of_two_targets(champion: Predictions, challenger: Predictions) -> tuple[Outcome, ...]:
    theirs, own = champion.target.words, challenger.target.words
    words = (
        f"the champion gives {theirs} and the challenger {own}, and no rule compares them; "
        "give the challenger a name of its own with registry.name"
    )
    return (
        not_asked(measured.ROWS, "they cannot be compared"),
        failed(paired_test.GATE, words),
        *(not_asked(gate, "they cannot be compared") for gate in _COMPARING[2:]),
    )
