"""The four cases, and what speaks against transfer."""

import pytest
from advised import WORDS

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.params.values.strategy import StrategyKind
from thaw.strategies.advice.cases import LayerEvidence, Reference, Similarity, doubts_of, name_case
from thaw.strategies.advice.transferability import Score, Transferability


def layer(name: str, beside: tuple[float, float] | None, z: float | None = 30.0) -> LayerEvidence:
    score = Score(0.5, 0.1, 0.01, z)
    lead = None if beside is None else Estimate(sum(beside) / 2, *beside)
    return LayerEvidence(name, 8, Estimate(0.8, 0.7, 0.9), lead, Transferability(score, score))


LAST = layer("last", None)


@pytest.mark.parametrize(
    ("beside", "similarity"),
    [
        ((-0.3, -0.1), "similar"),
        ((-0.04, 0.03), "similar"),
        ((-0.04, 0.08), "can't tell"),
        ((0.001, 0.2), "different"),
    ],
)
def test_the_paired_intervals_name_the_similarity(beside: tuple[float, float], similarity: Similarity) -> None:
    assert name_case([layer("first", (-0.5, -0.4)), layer("middle", beside), LAST], small=True).similarity == similarity


@pytest.mark.parametrize(
    ("small", "beside", "kind"),
    [
        (True, (-0.3, -0.1), "linear"),
        (True, (0.1, 0.2), "cut"),
        (False, (-0.3, -0.1), "full"),
        (False, (0.1, 0.2), "full"),
    ],
)
def test_the_classic_rule(small: bool, beside: tuple[float, float], kind: StrategyKind) -> None:
    case = name_case([layer("early", beside), LAST], small=small)
    assert case.kinds[0] == kind
    assert str(case).startswith("small data" if small else "large data")


def test_one_layer_or_none_cannot_tell() -> None:
    assert "one cut layer" in name_case([LAST], small=True).why
    assert "held out" in name_case([], small=True).why


def test_doubts() -> None:
    def beside(name: str, low: float, high: float) -> Reference:
        return Reference(name, Estimate(0.5, 0.4, 0.6), Estimate((low + high) / 2, low, high))

    assert (
        doubts_of([LAST], [beside("pixels", 0.1, 0.3), beside("random_backbone", 0.1, 0.2)], WORDS, plentiful=False)
        == ()
    )
    (hurts,) = doubts_of([LAST], [beside("pixels", -0.3, -0.1)], WORDS, plentiful=False)
    assert "grey levels" in hurts and "hurts" in hurts
    (no_use,) = doubts_of([LAST], [beside("random_backbone", -0.1, 0.1)], WORDS, plentiful=False)
    assert "random weights" in no_use
    (blind,) = doubts_of([layer("last", None, z=0.4)], [], WORDS, plentiful=False)
    assert "shuffled" in blind
    (much,) = doubts_of([LAST], [], WORDS, plentiful=True)
    assert "scratch" in much
