"""The decision of all gates together. A challenger is promoted if no gate refuses."""

from dataclasses import dataclass

from thaw.evaluation.checks import Checks
from thaw.foundation.statistics.bootstrap import USUAL, Resampling
from thaw.gates import calibration, measured, paired_test, recall
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked
from thaw.gates.paired_test import Figures
from thaw.gates.pairing import Paired, pair
from thaw.gates.parity import Parity, parity
from thaw.models.serving_cost import ServingCost
from thaw.params.sections import PromotionParams
from thaw.targets.predictions import Predictions

FIRST = "there is no champion yet, so the first version becomes it"
_COMPARING = (measured.ROWS, paired_test.GATE, recall.GATE, calibration.GATE)


@dataclass(frozen=True)
class Evidence:
    """The input of the gates: both models' predictions on their test rows (champion None: there is none yet), and measurements of the challenger alone (None:
    not measured)."""

    champion: Predictions | None
    challenger: Predictions
    checks: Checks | None = None
    cost: ServingCost | None = None
    parity: Parity | None = None


@dataclass(frozen=True)
class Decision:
    """The outcome of each gate, and the figures of the paired test (None if the models were not compared)."""

    outcomes: tuple[Outcome, ...]
    figures: Figures | None = None

    @property
    def promote(self) -> bool:
        """Whether no gate refuses."""
        return not any(outcome.refuses for outcome in self.outcomes)

    @property
    def reason(self) -> str:
        """One sentence: the words of the gates that refuse, else those of the paired test."""
        refusing = [outcome.words for outcome in self.outcomes if outcome.refuses]
        if refusing:
            return "; ".join(refusing)
        compared = [
            outcome.words for outcome in self.outcomes if outcome.gate == paired_test.GATE and self.figures is not None
        ]
        return compared[0] if compared else FIRST


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
    )
    if evidence.champion is None:
        return Decision((*(not_asked(gate, "there is no champion yet") for gate in _COMPARING), *alone))
    paired = pair(evidence.champion, evidence.challenger)
    if paired is None:
        return Decision((*_of_two_targets(evidence.champion, evidence.challenger), *alone))
    outcomes, figures = _compared(paired, params, resampling)
    return Decision((*outcomes, *alone), figures)


def _compared(
    paired: Paired, params: PromotionParams, resampling: Resampling
) -> tuple[tuple[Outcome, ...], Figures | None]:
    enough = measured.enough_rows(len(paired), params.min_rows)
    if enough.refuses:  # one refusal is enough: the gates below add none
        unknown = (cannot_tell(gate, "there are too few test rows", refuses=False) for gate in _COMPARING[1:])
        return (enough, *unknown), None
    figures = paired_test.measure(paired, resampling)
    return (
        enough,
        paired_test.paired_test(figures, params, paired.right, resampling.confidence),
        recall.recall(paired, params, resampling.confidence),
        calibration.calibration(paired, params, resampling),
    ), figures


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
