"""The model without a backbone is an option, and is followed only where it is shown to be better than the best with the backbone."""

from pathlib import Path

import pytest
import torch
from advised import WORDS, price
from plain_texts import bags_of, texts

from thaw.backbones.backbone import read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.batches import in_groups, stacked
from thaw.kinds.plain import plain_features
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.models.prices import Price
from thaw.params.sections import BackboneParams, HeadParams, StrategyParams
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice import words
from thaw.strategies.advice.advising import PlainFeatures, Situation, advise
from thaw.strategies.advice.choosing import Choice, without_transfer
from thaw.strategies.advice.options import Option
from thaw.strategies.advice.page import render_advice
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.size import measure_size

HEAD = HeadParams(l2=(1e-5, 1e-3, 1e-1), hidden=(8,), epochs=3, folds=3, neighbours=(5,))
PRICE = Price(0.5, 5000.0)


def advised(features: torch.Tensor, bags: torch.Tensor, targets: torch.Tensor, kind: str = "auto") -> Advice:
    pool = Pool({"late": features}, targets, ("no", "yes"))
    situation = Situation(
        pool=pool,
        references=None,
        size=measure_size(features, targets, pool.class_names, copies=0),
        price=price,
        pilot=None,
        labelled=len(pool),
        validation=0,
        test=100,
        words=WORDS,
        plain=PlainFeatures(bags, PRICE),
    )
    strategy = StrategyParams.model_validate({"kind": kind, "repeats": 1, "minutes": 0})
    return advise(situation, strategy, HEAD)


def made_up(a_class: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A backbone that is right in three of four cases, and texts with one of 30 cues, each of which must be seen to be known."""
    chance = torch.Generator().manual_seed(0)
    targets = torch.arange(2 * a_class) % 2
    cues = torch.randint(30, (len(targets),), generator=chance).tolist()
    given = texts([f"cue{label}{cue}" for label, cue in zip(targets.tolist(), cues, strict=True)])
    signal = (targets.float() * 2 - 1)[:, None] + 1.5 * torch.randn(len(targets), 1, generator=chance)
    return torch.cat([signal, torch.randn(len(targets), 3, generator=chance)], 1), bags_of(given), targets


def test_with_many_labels_it_is_followed_and_with_few_it_is_not() -> None:
    many, few = advised(*made_up(300)), advised(*made_up(10))
    assert str(many.followed.strategy) == "plain" and many.automatic
    assert "it beats the best option with the backbone (" in many.followed.reason
    assert many.followed.predicted is not None and many.followed.predicted.value > 0.85
    assert words.verdict(many).startswith("Leave the backbone out")
    assert few.followed.strategy.kind != "plain" and "plain" in {str(option.strategy) for option in few.options}


def test_it_stands_in_the_table_with_its_own_price() -> None:
    advice = advised(*made_up(40))
    (option,) = [each for each in advice.options if each.strategy == Strategy("plain", "late")]
    assert (option.megabytes, option.images_per_second, option.draws) == (0.5, 5000.0, 1)
    assert option.accuracy is not None and option.linear is not None
    page = render_advice(advice, "texts", WORDS)
    assert "<td>plain" in page or ">plain<" in page


def test_it_is_followed_where_it_is_asked_for_and_the_advice_is_still_said() -> None:
    advice = advised(*made_up(10), kind="plain")
    assert advice.followed.strategy == Strategy("plain", "late") and not advice.automatic
    assert advice.followed.predicted is not None
    assert "The advice would have been" in words.verdict(advice)


def test_one_label_a_class_measures_nothing_and_the_backbone_is_kept() -> None:
    advice = advised(*made_up(1))
    assert str(advice.followed.strategy) == "linear"
    assert [str(option.strategy) for option in advice.options] == ["linear"]


@pytest.mark.parametrize(("low", "followed"), [(0.01, "plain"), (0.0, "mlp"), (-0.1, "mlp"), (None, "mlp")])
def test_a_lead_within_its_interval_changes_nothing(low: float | None, followed: str) -> None:
    best = Choice(Strategy("mlp", "late"), None, "it is best")
    plain = Option(Strategy("plain", "late"), None, None, True, 0.1, 0.5, 100.0)
    lead = None if low is None else Estimate(low + 0.02, low, low + 0.04)
    assert without_transfer(best, plain, lead).strategy.kind == followed


def reviews(real_data: Path, tmp_path: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """1,500 film reviews of each class (MR), as averages of real word vectors and as bags."""
    lines = (real_data / "text/sets/rt-polarity.all").read_bytes().decode("latin-1").split("\n")
    rows = [(int(label), text) for label, text in (line.split(" ", 1) for line in lines if line)]
    chosen = [row for label in (0, 1) for row in [each for each in rows if each[0] == label][:1500]]
    path = tmp_path / "glove.safetensors"
    convert(Source(real_data / "text/vectors/glove.6B.50d.first10000.txt"), path)
    backbone = read_backbone(BackboneParams(weights=str(path)))
    preprocessing = WordPreprocessing()
    examples = [preprocessing.prepare(text.encode()) for _, text in chosen]
    features = in_groups(examples, 64, lambda group: backbone.features(stacked(group))["mean"].clone())
    return features, plain_features(stacked(examples), preprocessing), torch.tensor([label for label, _ in chosen])


def test_on_film_reviews_tf_idf_is_followed_with_all_labels_and_not_with_ten(real_data: Path, tmp_path: Path) -> None:
    features, bags, targets = reviews(real_data, tmp_path)
    assert str(advised(features, bags, targets).followed.strategy) == "plain"
    order = torch.randperm(1500, generator=torch.Generator().manual_seed(1))
    for draw in range(5):
        rows = torch.cat([order[10 * draw : 10 * draw + 10], 1500 + order[10 * draw : 10 * draw + 10]])
        assert advised(features[rows], bags[rows], targets[rows]).followed.strategy.kind != "plain", draw
