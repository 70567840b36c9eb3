"""The model without a backbone answers like the head that it was made of, on disk and in exports too."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from digit_images import digit_images, embedded
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_texts import PREPROCESSING, bags_of, cued, head_on_bag_sets, head_on_bags, prepared

from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.plain import SKETCH
from thaw.backbones.size import model_size
from thaw.foundation.errors import BadArtifact
from thaw.heads import FittedHead, fit_head
from thaw.heads.bags import BagModel
from thaw.kinds.batches import examples_in
from thaw.kinds.plain import plain_features
from thaw.models.exporting.card import Origin
from thaw.models.exporting.folder import write_export
from thaw.models.exporting.formats import Format
from thaw.models.exporting.parity import measure_parity
from thaw.models.prediction.plain import plain_predictor, unfitted_plain
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

ODD = ["cue00", "unseen words alone", "cue00 cue00 cue00 word1", "!", "word1 word2 " * 400, "हिन्दी 日本語 👍🏽 cue10"]
HEADS = {"one label": head_on_bags, "two classes": lambda: head_on_bags(classes=2), "sets": head_on_bag_sets}


@pytest.fixture(scope="module", params=HEADS)
def head(request: pytest.FixtureRequest) -> FittedHead:
    return HEADS[request.param]()


def test_texts_get_the_answers_of_the_head_on_bags(head: FittedHead) -> None:
    model = plain_predictor(head, PREPROCESSING)
    given = [*cued(20)[0], *ODD]
    expected = head.probabilities(bags_of(given)).numpy()
    found = model.predict(prepared(given))
    assert found.probabilities == pytest.approx(expected, abs=1e-5)
    assert (found.named == head.named(torch.from_numpy(expected)).numpy()).all()
    assert model.predict([]).probabilities.shape == (0, len(head.class_names))
    assert isinstance(head.model, BagModel) and model.head.on_features.weights.shape[1] == SKETCH + len(
        head.class_names
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab 1.!é本"), min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=5)
)
def test_any_text_gets_the_answer_of_the_head_in_any_company(given: list[str]) -> None:
    head = head_on_some_letters()
    model = plain_predictor(head, PREPROCESSING)
    together = model.predict(prepared(given)).probabilities
    assert together == pytest.approx(head.probabilities(bags_of(given)).numpy(), abs=1e-5)
    alone = np.concatenate([model.predict(prepared([text])).probabilities for text in given])
    assert together == pytest.approx(alone, abs=1e-6)


@cache
def head_on_some_letters() -> FittedHead:
    given = ["a b a", "b . b", "a 1 é", "b 本 b b", "a a !", "b ab"]
    rows = LabelledFeatures(bags_of(given), torch.arange(6) % 2, ("a", "b"))
    return fit_head(rows, None, HeadParams(l2=(0.01,), folds=2))


def test_texts_of_the_same_words_are_near_and_scores_stand_behind() -> None:
    model = plain_predictor(head_on_bags(), PREPROCESSING)
    given = ["word1 word2 word3 word4", "word4 word1 word2 word3", "word5 word6 word7 word8"]
    features = torch.cat([model.backbone.features(_batch([text]))["plain"] for text in given])
    near, far = torch.cosine_similarity(features[:1], features[1:]).tolist()
    assert near > 0.5 > far + 0.2
    assert features[:, :SKETCH].norm(dim=1).tolist() == pytest.approx([1, 1, 1], abs=0.25)


def _batch(given: list[str]) -> dict[str, torch.Tensor]:
    return {name: tensor[None] for name, tensor in prepared(given)[0].items()}


def test_it_is_the_same_after_a_way_over_the_disk_and_a_torn_file_is_said(head: FittedHead, tmp_path: Path) -> None:
    model = plain_predictor(head, PREPROCESSING)
    model.write(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    again, given = Predictor.read(tmp_path), prepared(ODD)
    assert (again.predict(given).probabilities == model.predict(given).probabilities).all()
    assert again.head.trials == head.trials and again.backbone.is_unchanged()
    weights = tmp_path / "backbone.safetensors"
    torn = bytearray(weights.read_bytes())
    torn[-1] ^= 1
    weights.write_bytes(bytes(torn))
    with pytest.raises(BadArtifact, match="not those that were written"):
        Predictor.read(tmp_path)


def test_values_get_the_answers_of_the_head_on_them(tmp_path: Path) -> None:
    model, head, features, examples = on_digits()
    assert model.predict(examples).probabilities == pytest.approx(head.probabilities(features).numpy(), abs=1e-5)
    model.write(tmp_path)
    found = Predictor.read(tmp_path).predict(examples).probabilities
    assert (found == model.predict(examples).probabilities).all()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 250_000


def on_digits() -> tuple[Predictor, FittedHead, torch.Tensor, list[torch.Tensor]]:
    images, preprocessing = digit_images(0, 90), embedded().preprocessing
    features = plain_features(images.inputs, preprocessing)
    head = fit_head(
        LabelledFeatures(features, images.targets, images.class_names), None, HeadParams(l2=(0.01,), folds=2)
    )
    return plain_predictor(head, preprocessing), head, features, [*examples_in(images.inputs)]


@pytest.mark.parametrize("kind", ["bags", "values"])
def test_engines_and_exports_have_its_answers(kind: str, tmp_path: Path) -> None:
    if kind == "bags":
        model, examples = plain_predictor(head_on_bags(), PREPROCESSING), prepared([*cued(20)[0], *ODD])
    else:
        model, _, _, examples = on_digits()
    batch = model.backbone.kind.collate(examples)
    engine = build_torch_engine(model.backbone, "float32", torch.device("cpu"))
    assert torch.allclose(engine.features(batch)["plain"], model.backbone.features(batch)["plain"], atol=1e-5)
    parity = measure_parity(model, examples, None)
    assert parity.exported is not None and parity.exported.largest_difference < 1e-5, parity.reason
    export = write_export(model, Origin("plain", None, "x", {}), Format.ONNX, examples, folder=tmp_path / "onnx")
    assert export.card.checked.agreement.labels_equal == 1


def test_the_size_is_known_before_the_fit() -> None:
    given, targets = cued(60, 3)
    fitted = plain_predictor(head_on_bags(), PREPROCESSING)
    assert model_size(unfitted_plain(bags_of(given), 3, PREPROCESSING)) == model_size(fitted.backbone)
    model, _, features, _ = on_digits()
    assert model_size(unfitted_plain(features, 3, model.backbone.preprocessing)) == model_size(model.backbone)
    assert len(targets) == 60


def test_texts_without_a_word_are_answered_by_the_shares_of_the_classes() -> None:
    empty = bags_of(["\u00ad", "\u200b", "\u2060", "\u00ad"])
    head = fit_head(LabelledFeatures(empty, torch.tensor([0, 1, 0, 1]), ("a", "b")), None, HeadParams(l2=(0.1,)))
    found = plain_predictor(head, PREPROCESSING).predict(prepared(["\u00ad", "a word"])).probabilities
    assert found == pytest.approx(np.full((2, 2), 0.5), abs=1e-4)
