"""Folders of encoders beside transformers and sentence-transformers, and the folders that are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from encoder_folders import HEADS, LAYERS, LONG, POSITIONS, TEXTS, plain_folder, sentence_folder
from safetensors.torch import load_file, save_file

from thaw.backbones.backbone import Backbone, read_backbone, read_written_backbone, write_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.encoder_folders import read_encoder
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadWeights
from thaw.kinds.batches import stacked
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.params.sections import BackboneParams

STATES = ("embeddings", *(f"layers.{number}" for number in range(LAYERS)))


def converted(folder: Path, out: Path, *layers: str) -> Backbone:
    convert(Source(folder), out)
    return read_backbone(BackboneParams(weights=str(out), layers=layers or ("auto",)))


def features(backbone: Backbone, *texts: str) -> dict[str, torch.Tensor]:
    assert isinstance(backbone.preprocessing, PiecePreprocessing)
    return backbone.features(stacked([backbone.preprocessing.prepare(text.encode()) for text in texts]))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("bert", {}),
        ("bert", {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}),
        ("distilbert", {}),
        ("roberta", {"layer_norm_eps": 1e-5}),
    ],
)
def test_every_layer_is_that_of_transformers(kind: str, settings: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = plain_folder(tmp_path / kind, kind, **settings)
    backbone = converted(folder, tmp_path / "out.safetensors", *STATES, "auto")
    found, reference = features(backbone, *TEXTS), AutoModel.from_pretrained(folder)
    for row, text in enumerate(TEXTS):
        assert isinstance(backbone.preprocessing, PiecePreprocessing)
        tokens = backbone.preprocessing.prepare(text.encode())["tokens"][None]
        with torch.inference_mode():
            states = reference.eval()(
                input_ids=tokens, attention_mask=torch.ones_like(tokens), output_hidden_states=True
            )
        for name, state in zip(STATES, states.hidden_states, strict=True):
            assert torch.allclose(found[name][row], state[0].mean(0), atol=1e-5), (name, text)
        assert torch.allclose(found[backbone.layers[-1]][row], states.last_hidden_state[0].mean(0), atol=1e-5)


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token"])
@pytest.mark.parametrize("unit", [True, False])
def test_a_sentence_is_that_of_sentence_transformers(mode: str, unit: bool, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = sentence_folder(tmp_path / "tiny", mode=mode, unit=unit)
    backbone = converted(folder, tmp_path / "out.safetensors")
    wanted = torch.from_numpy(SentenceTransformer(str(folder), device="cpu").encode(list(TEXTS)))
    (found,) = features(backbone, *TEXTS).values()
    assert torch.allclose(found, wanted, atol=1e-5)
    assert backbone.architecture == (
        f"bert-18x16-{LAYERS}x{HEADS}x24-{POSITIONS}-gelu-eps12-{'mean' if mode == 'mean_tokens' else 'first'}{'-unit' if unit else ''}"
    )


def test_folders_of_the_newest_form_are_read_too(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    old, new = sentence_folder(tmp_path / "old", longest=9), tmp_path / "new"
    SentenceTransformer(str(old), device="cpu").save(str(new))
    one, other = read_encoder(old), read_encoder(new)
    assert one.shape == other.shape and one.shape.window == 9
    assert all(torch.equal(other.tensors[name], tensor) for name, tensor in one.tensors.items())


def test_minilm_is_that_of_sentence_transformers(real_data: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = real_data / "text/minilm"
    backbone = converted(folder, tmp_path / "minilm.safetensors", "blocks")
    assert backbone.architecture == "bert-30522x384-6x12x1536-256-gelu-eps12-mean-unit"
    assert len(backbone.layers) == 5
    lines = (real_data / "text/sets/rt-polarity.all").read_bytes().decode("latin-1").split("\n")[:24]
    texts = [line.partition(" ")[2] for line in lines]
    reference = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    wanted = torch.from_numpy(reference.encode(texts))
    found = features(backbone, *texts)
    assert torch.allclose(found[backbone.layers[-1]], wanted, atol=1e-5)
    for row in (0, 7):
        alone = features(backbone, texts[row])
        for layer in backbone.layers:
            assert torch.allclose(alone[layer][0], found[layer][row], atol=2e-5), layer


def test_a_long_text_is_read_in_windows_to_its_end(tmp_path: Path) -> None:
    backbone = converted(sentence_folder(tmp_path / "tiny", longest=10, unit=False), tmp_path / "out.safetensors")
    (whole,), (other,) = features(backbone, LONG).values(), features(backbone, f"{LONG} good").values()
    assert backbone.architecture.endswith("-10-gelu-eps12-mean")
    assert not torch.allclose(whole, other, atol=1e-4)
    (both,) = features(backbone, "good", LONG).values()
    assert torch.allclose(both[1], whole[0], atol=1e-5)


def test_a_written_backbone_has_its_tokenizer_with_it(tmp_path: Path) -> None:
    backbone = converted(sentence_folder(tmp_path / "tiny"), tmp_path / "out.safetensors", "layers.1")
    write_backbone(backbone, tmp_path)
    again = read_written_backbone(tmp_path)
    assert again.preprocessing == backbone.preprocessing
    assert torch.equal(features(again, *TEXTS)["layers.1"], features(backbone, *TEXTS)["layers.1"])
    assert not any(name.startswith("layers.2") for name in backbone.needed_tensors())


def change(folder: Path, name: str, **values: object) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(content | values))


def test_other_folders_are_refused_by_name(tmp_path: Path) -> None:
    folder = sentence_folder(tmp_path / "tiny")
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def refused(match: str) -> None:
        with pytest.raises(BadWeights, match=match):
            convert(Source(folder), tmp_path / "out.safetensors")
        assert not (tmp_path / "out.safetensors").exists()
        for path, content in kept.items():
            path.write_bytes(content)

    change(folder, "config.json", model_type="mpnet")
    refused("of the type mpnet; encoders of the types bert, distilbert, roberta")
    change(folder, "config.json", position_embedding_type="relative_key")
    refused("positions of the type relative_key")
    change(folder, "config.json", hidden_act="silu")
    refused("the activation silu; gelu")
    change(folder, "config.json", layer_norm_eps=2e-5)
    refused("layer_norm_eps is 2e-05; powers of ten")
    change(folder, "config.json", num_hidden_layers=4)
    refused("has no `encoder.layer.3.attention.self.query.weight`")
    change(folder, "config.json", num_attention_heads=None)
    refused("num_attention_heads is None")
    change(folder, "config.json", num_attention_heads=3)
    refused("3 heads do not divide 16 dimensions")
    change(folder, "config.json", intermediate_size=25)
    refused("the weights do not fit bert-")
    change(folder, "sentence_bert_config.json", max_seq_length=2)
    refused("takes 2 pieces at once; 8 are the least")
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.BoW", "path": ""}]')
    refused("begins with BoW")
    change(folder, "1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_max_tokens=True)
    refused("pools by max_tokens; mean and cls")
    (folder / "config.json").write_text("{")
    refused("config.json is no JSON, or damaged")
    (folder / "modules.json").write_text('["a"]')
    refused("is no list of sentence-transformers' modules")
    (folder / "tokenizer.json").write_text("{}")
    refused("tokenizer.json is damaged, or newer than tokenizers")
    (folder / "tokenizer.json").unlink()
    refused("has no tokenizer.json and no vocab.txt")
    (folder / "config.json").unlink()
    refused("config.json does not exist")
    for name in ("config.json", "modules.json"):
        (folder / name).unlink()
    refused("holds no network .* folders with the config.json of an encoder")


def test_weights_in_other_files_say_how_to_convert_them(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "tiny")
    weights, out = folder / "model.safetensors", tmp_path / "out.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-100])
    with pytest.raises(BadWeights, match="is damaged"):
        convert(Source(folder), out)
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(BadWeights, match="Git LFS pointer"):
        convert(Source(folder), out)
    weights.unlink()
    with pytest.raises(BadWeights, match=r"has no model.safetensors; fetch it"):
        convert(Source(folder), out)
    torch.save({"a": torch.ones(1)}, folder / "pytorch_model.bin")
    with pytest.raises(BadWeights, match=r"only pytorch_model.bin, a pickle, .*save_pretrained"):
        convert(Source(folder), out)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(BadWeights, match="weights in several files"):
        convert(Source(folder), out)


def _older(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def test_old_names_of_a_language_model_are_read(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "tiny")
    tensors = load_file(folder / "model.safetensors")
    older = {_older(name): tensor for name, tensor in tensors.items()}
    wanted = read_encoder(folder)
    save_file(
        {f"bert.{name}": tensor for name, tensor in older.items()} | {"cls.bias": torch.ones(3)},
        folder / "model.safetensors",
    )
    found = read_encoder(folder)
    assert found.shape == wanted.shape and found.notes == (
        "the folder states no pooling, so the mean of all pieces stands for a text",
    )
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in wanted.tensors.items())


def test_what_stands_behind_the_encoder_is_told(tmp_path: Path) -> None:
    folder = sentence_folder(tmp_path / "tiny")
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(
        json.dumps([*modules, {"path": "3_Dense", "type": "sentence_transformers.models.Dense"}])
    )
    (folder / "config_sentence_transformers.json").write_text('{"default_prompt_name": "query"}')
    assert read_encoder(folder).notes == (
        "the folder's module Dense behind the encoder is left out",
        "the prompt 'query' that the folder sets before every text is left out",
    )
