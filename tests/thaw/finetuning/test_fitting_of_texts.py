"""Fine-tuning of networks of texts: encoders of BERT's family, and word vectors."""

from pathlib import Path

import pytest
import torch
from digit_images import desk_in
from small_encoder import texts, write_encoder

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.encoders.word_vectors import architecture_of
from thaw.backbones.weights import write_weights
from thaw.finetuning.fitting import Start, finetune
from thaw.finetuning.groups import groups_of
from thaw.finetuning.network import build_network
from thaw.finetuning.result import FineTuned
from thaw.heads import fit_head
from thaw.heads.kinds import weights_of
from thaw.heads.logistic import LogisticModel
from thaw.kinds.batches import Batch, examples_in
from thaw.kinds.kind import Limits
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.prepared import open_reader
from thaw.kinds.texts.kind import KIND
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.models.exporting.graph import export_program, outputs_of
from thaw.models.exporting.onnx_format import read_onnx, write_onnx
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, FinetuneParams, HeadParams
from thaw.params.values.strategy import Strategy, StrategyKind
from thaw.targets.labelled import LabelledFeatures

NAMES = ("bad", "good")
QUICK = {"epochs": 4, "batch_size": 16, "precision": "float32", "learning_rate": 0.01, "scratch": {"epochs": 4}}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny.safetensors")
    return read_backbone(BackboneParams(weights=str(path)))


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """Vectors of the words of the texts but `mat`, drawn at random."""
    words = sorted({word for text, _ in texts(60) for word in text.split()} - {"mat"}, key=key_of)
    architecture = architecture_of(len(words), 8)
    tensors = dict(build_seeded(architecture, 2, 0).state_dict())
    tensors["keys"] = torch.tensor([key_of(word) for word in words])
    tensors["rarity"] = torch.linspace(0.1, 1, len(words))
    path = tmp_path_factory.mktemp("vectors") / "tiny.safetensors"
    write_weights(path, tensors, {"architecture": architecture, "preprocessing": WordPreprocessing().to_json()})
    return read_backbone(BackboneParams(weights=str(path)))


def labelled(backbone: Backbone, first: int, count: int) -> LabelledInputs:
    rows, reader = texts(count, first=first), open_reader(backbone.preprocessing, Limits())
    batch = KIND.collate([reader.prepare(text.encode()) for text, _ in rows])
    digests = tuple(number.to_bytes(32, "big") for number in range(first, first + count))
    targets = torch.tensor([NAMES.index(label) for _, label in rows])
    return LabelledInputs(batch, torch.arange(count), digests, targets, NAMES)


def start_on(backbone: Backbone, examples: LabelledInputs) -> Start:
    """The backbone with a head that was fitted on shuffled labels, so that it knows nothing."""
    features = backbone.features(examples.batch(torch.arange(len(examples))))[backbone.layers[-1]].clone()
    shuffled = examples.targets[torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))]
    params = HeadParams(l2=(1.0,))
    head = fit_head(LabelledFeatures(features, shuffled, NAMES), None, params)
    return Start(backbone, head, weights_of(examples, params), lambda rows: head)


def tuned(
    folder: Path, backbone: Backbone, kind: StrategyKind = "full", blocks: int | None = None, **params: object
) -> FineTuned:
    examples = labelled(backbone, 0, 60)
    settings = FinetuneParams.model_validate({**QUICK, **params})
    strategy = Strategy(kind, backbone.layers[-1], blocks)
    return finetune(start_on(backbone, examples), examples, None, strategy, settings, desk=desk_in(folder))


def changed(model: FineTuned, old: Backbone) -> set[str]:
    before, after = old.model.state_dict(), model.predictor.backbone.model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def unseen(backbone: Backbone) -> tuple[list[Batch], torch.Tensor]:
    rest = labelled(backbone, 60, 40)
    return examples_in(rest.inputs), rest.targets


def accuracy(model: FineTuned) -> float:
    examples, targets = unseen(model.predictor.backbone)
    predicted = torch.from_numpy(model.predictor.probabilities(examples)).argmax(1)
    return float((predicted == targets).float().mean())


def test_the_last_block_of_an_encoder_is_its_last_layer(tmp_path: Path, encoder: Backbone) -> None:
    model = tuned(tmp_path, encoder, "last_blocks", 1)
    assert model.epochs > 0 and model.thawed == 1
    assert changed(model, encoder) and all(name.startswith("layers.2.") for name in changed(model, encoder))
    assert encoder.is_unchanged()


@pytest.mark.parametrize(
    "options", [{}, {"gradual": True, "epochs": 8}, {"augment": "none"}, {"precision": "bfloat16"}], ids=str
)
def test_a_whole_encoder_learns_and_is_read_back_the_same(
    tmp_path: Path, encoder: Backbone, options: dict[str, object]
) -> None:
    model = tuned(tmp_path / "desk", encoder, **options)
    assert accuracy(model) > 0.8
    names = changed(model, encoder)
    assert {name.split(".")[0] for name in names} == {"embeddings", "layers"}
    assert {f"layers.{number}.inner.weight" for number in range(3)} < names
    model.predictor.write(tmp_path / "model")
    again, (examples, _) = Predictor.read(tmp_path / "model"), unseen(encoder)
    assert again.backbone.preprocessing == encoder.preprocessing
    assert (again.probabilities(examples) == model.predictor.probabilities(examples)).all()


def test_an_encoder_from_scratch_has_other_weights(tmp_path: Path, encoder: Backbone) -> None:
    model = tuned(tmp_path, encoder, "scratch")
    assert model.thawed == 4 and "layers.0.attention.joined.weight" in changed(model, encoder)


@pytest.mark.parametrize("kind", ["full", "scratch"])
def test_word_vectors_move_and_their_words_stay(tmp_path: Path, vectors: Backbone, kind: StrategyKind) -> None:
    model = tuned(tmp_path / "desk", vectors, kind, learning_rate=0.1)
    assert model.epochs > 0 and accuracy(model) > 0.8
    assert changed(model, vectors) - {"fc.weight", "fc.bias"} == {
        "vectors"
    }  # the classifier of the backbone is not used
    model.predictor.write(tmp_path / "model")
    again, (examples, _) = Predictor.read(tmp_path / "model"), unseen(vectors)
    assert (again.probabilities(examples) == model.predictor.probabilities(examples)).all()


def test_lower_layers_learn_more_slowly_and_the_embeddings_are_the_lowest(encoder: Backbone) -> None:
    head = start_on(encoder, labelled(encoder, 0, 60)).head.model
    assert isinstance(head, LogisticModel)
    params = FinetuneParams(learning_rate=0.01, layer_decay=0.5)
    groups = groups_of(build_network(encoder, Strategy("full", encoder.layers[-1]), head, params), params)
    assert {group.depth: group.rate for group in groups} == {0: 0.01, 1: 0.005, 2: 0.0025, 3: 0.00125, 4: 0.000625}


def test_a_tuned_encoder_is_exported_with_its_new_weights(tmp_path: Path, encoder: Backbone) -> None:
    model = tuned(tmp_path / "desk", encoder, "last_blocks", 2)
    assert model.epochs > 0
    names = [output.name for output in outputs_of(model.predictor)]
    write_onnx(export_program(model.predictor), ["tokens", "mask"], names, tmp_path / "model.onnx")
    batch = labelled(encoder, 60, 9).inputs
    expected = model.predictor.predict(examples_in(batch)).probabilities
    assert abs(read_onnx(tmp_path / "model.onnx").run(batch)[0] - expected).max() < 1e-5
