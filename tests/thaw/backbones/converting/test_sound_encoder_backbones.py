"""Encoders of speech beside transformers' own: tiny networks with random weights, built, saved and converted here, so a download is all that is not tested."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from torch import Tensor

from thaw.backbones.architectures import build, classifier_input
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.blocks import blocks_of
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.sound_encoder_backbones import backbone_in
from thaw.backbones.converting.source import Source
from thaw.backbones.engines.packed_engine import is_packable
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.engines.whole_network import is_fusible
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.foundation.parallel.progress import untold
from thaw.kinds.batches import Batch, mapping_of, stacked
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing

transformers = pytest.importorskip("transformers")
RATE = 16_000
SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "conv_dim": [12] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
LARGE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
"""What the large networks have in another way than the small ones."""
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "wav2vec2": ("Wav2Vec2", SMALL),
    "wav2vec2 large": ("Wav2Vec2", SMALL | LARGE),
    "hubert": ("Hubert", SMALL),
    "hubert large": ("Hubert", SMALL | LARGE),
    "wavlm": ("WavLM", SMALL | {"num_buckets": 32, "max_bucket_distance": 40}),
    "wavlm large": ("WavLM", SMALL | LARGE | {"num_buckets": 32, "max_bucket_distance": 40}),
}
WHISPER = {
    "d_model": 24,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 36,
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 36,
    "num_mel_bins": 80,
    "vocab_size": 60,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "decoder_start_token_id": 0,
}
LAYERS = ("entry", "layers.0", "layers.1", "layers.2", "hidden")


def model(name: str) -> Any:
    """transformers' network in evaluation mode, with scales and shifts that hide no mistake."""
    kind, settings = MODELS.get(name, ("Whisper", WHISPER))
    torch.manual_seed(0)
    built = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**settings)).eval()
    for each, parameter in built.named_parameters():
        if "norm" in each or "gru" in each or "rel_attn" in each:
            parameter.data += 0.3 * torch.randn(parameter.shape)
        elif parameter.dim() > 1 and "layers" in each and "conv" not in each:
            parameter.data *= 2  # the random weights are so small that attention would be even
    return built


def converted(name: str, folder: Path) -> tuple[Backbone, Any]:
    built = model(name)
    built.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False, "sampling_rate": RATE}))
    made = backbone_in(Source(folder), untold)
    assert made is not None
    layers = LAYERS if name in MODELS else ("entry", "layers.0", "layers.1", "hidden")
    architecture = made.weights.metadata["architecture"]
    return cut(architecture, Weights(made.weights.tensors, {}), layers, WaveformPreprocessing(RATE)), built


def wave(seconds: float, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(round(seconds * 100) * 160) / RATE
    return 0.3 * (2_000 * time).sin() * (9 * time).sin() + 0.1 * torch.randn(len(time), generator=generator)


def batch_of(*waves: Tensor) -> Batch:
    return stacked([framed(each, RATE) for each in waves])


def states(built: Any, given: Tensor, layers: int) -> Sequence[Tensor]:
    """The input of the first layers, and the last output, which is normalised."""
    with torch.no_grad():
        found = built(given, output_hidden_states=True)
    return [*found.hidden_states[:layers], found.last_hidden_state]


@pytest.mark.parametrize("name", MODELS)
def test_each_layer_is_that_of_transformers_alone_and_in_a_batch(name: str, tmp_path: Path) -> None:
    backbone, built = converted(name, tmp_path)
    waves = [wave(seconds, seed) for seed, seconds in enumerate((1.0, 0.31, 0.03, 0.64))]
    outputs = backbone.extractor(batch_of(*waves))
    features = backbone.features(batch_of(*waves))
    for row, given in enumerate(waves):
        wanted = states(built, given[None], 3)
        alone = backbone.features(batch_of(given))
        for layer, state in zip(("entry", "layers.0", "layers.1", "hidden"), wanted, strict=True):
            near = 1e-5 * float(state.abs().max())  # values reach 6, and rounding grows with them
            assert torch.allclose(outputs[layer][row, : state.shape[1]], state[0], atol=near), (layer, row)
            assert not outputs[layer][row, state.shape[1] :].any(), "places behind a sound are zero"
            for found in (features[layer][row], alone[layer][0]):
                assert torch.allclose(found, state[0].mean(0), atol=near), (layer, row)


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm large"])
def test_neither_the_batch_nor_its_padding_changes_features(name: str, tmp_path: Path) -> None:
    backbone, _ = converted(name, tmp_path)
    waves = [wave(seconds, seed) for seed, seconds in enumerate((0.01, 0.9, 2.0))]
    together = dict(mapping_of(batch_of(*waves)))
    loud = {**together, "samples": together["samples"].masked_fill(~together["mask"][:, :, None], 1.0)}
    for layer in LAYERS:
        alone = torch.cat([backbone.features(batch_of(each))[layer] for each in waves])
        assert torch.allclose(backbone.features(together)[layer], alone, atol=1e-5)
        assert torch.allclose(backbone.features(loud)[layer], alone, atol=1e-5)


def test_longer_sounds_see_windows_and_count_whole(tmp_path: Path) -> None:
    backbone, _ = converted("wav2vec2", tmp_path)
    given = wave(31.0)
    (long,) = backbone.extractor(batch_of(given))["layers.0"]
    assert len(long) == 1549 and long.any(1).all()
    changed = given.clone()
    changed[-RATE // 2 :] *= 0.5
    (other,) = backbone.only(("layers.0",)).extractor(batch_of(changed))["layers.0"]
    entry = backbone.only(("entry",))
    reached = (entry.extractor(batch_of(changed))["entry"] - entry.extractor(batch_of(given))["entry"]).abs().amax(2)[0]
    assert reached[1500:].max() > 1e-3
    assert (long - other)[1500:].abs().max() > 1e-3


def test_the_level_of_sounds_is_the_folders(tmp_path: Path) -> None:
    for stated, level in (({}, "unit"), ({"do_normalize": True}, "unit"), ({"do_normalize": False}, "kept")):
        converted("wav2vec2", tmp_path)
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(stated))
        made = backbone_in(Source(tmp_path), untold)
        assert made is not None and json.loads(made.weights.metadata["preprocessing"])["level"] == level
    (tmp_path / "preprocessor_config.json").unlink()
    made = backbone_in(Source(tmp_path), untold)
    assert made is not None and "no preprocessor_config.json" in made.notes[-1]


def test_whisper_is_that_of_transformers_with_its_own_spectrogram(tmp_path: Path) -> None:
    backbone, built = converted("whisper", tmp_path)
    waves = [wave(seconds, seed) for seed, seconds in enumerate((1.0, 0.31))]
    extractor = transformers.WhisperFeatureExtractor(feature_size=80)
    outputs, features = backbone.extractor(batch_of(*waves)), backbone.features(batch_of(*waves))
    for row, given in enumerate(waves):
        mel = extractor(given.numpy(), sampling_rate=RATE, return_tensors="pt").input_features
        places = -(-len(given) // 320)
        for layer, state in zip(("entry", "layers.0", "hidden"), states(built.encoder, mel, 2), strict=True):
            assert torch.allclose(outputs[layer][row], state[0], atol=2e-5), layer
            assert torch.allclose(features[layer][row], state[0, :places].mean(0), atol=1e-5), layer


def test_whisper_reads_longer_sounds_in_windows_of_30_s_and_cuts_nothing(tmp_path: Path) -> None:
    backbone, built = converted("whisper", tmp_path)
    given = wave(30.5)
    extractor = transformers.WhisperFeatureExtractor(feature_size=80)
    parts = []
    for part in given.split(30 * RATE):
        mel = extractor(part.numpy(), sampling_rate=RATE, return_tensors="pt").input_features
        parts.append(states(built.encoder, mel, 0)[-1][0, : -(-len(part) // 320)])
    wanted = torch.cat(parts)
    short = wave(0.5, 1)
    batch = batch_of(given, short)
    assert torch.allclose(backbone.features(batch)["hidden"][0], wanted.mean(0), atol=1e-5)
    assert torch.allclose(
        backbone.features(batch)["hidden"][1:], backbone.features(batch_of(short))["hidden"], atol=1e-5
    )


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm", "whisper"])
def test_its_layers_are_cut_layers_and_engines_agree_or_do_not_take_it(name: str, tmp_path: Path) -> None:
    backbone, _ = converted(name, tmp_path)
    assert classifier_input(backbone.model) == "hidden"
    ends = [block.output for block in blocks_of(backbone.model)]
    # A last layer without a normalisation behind it ends where `hidden` does.
    assert ends == ["entry", *(f"layers.{number}" for number in range(len(ends) - 2)), "hidden"] and len(ends) > 2
    batch = batch_of(wave(0.5), wave(0.9))
    engine = build_torch_engine(backbone, "float32", torch.device("cpu"))
    for layer, features in engine.features(batch).items():
        assert torch.allclose(features, backbone.features(batch)[layer], atol=1e-5)
    assert not is_packable(backbone) and not is_fusible(backbone, batch)
    with pytest.raises(BadParameters, match=r"the layers of .* that can be pooled are entry, layers.0"):
        cut(
            backbone.architecture, Weights(backbone.model.state_dict(), {}), ("layers.0.inner",), backbone.preprocessing
        )


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm", "whisper"])
def test_it_trains(name: str, tmp_path: Path) -> None:
    backbone, _ = converted(name, tmp_path)
    network = build(backbone.architecture, 2)
    torch.nn.functional.cross_entropy(network(batch_of(wave(0.3)))[:, :5].mean(1), torch.tensor([1])).backward()
    for each, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), each


def test_one_exported_graph_takes_sounds_of_any_length(tmp_path: Path) -> None:
    class Answer(torch.nn.Module):
        def forward(self, batch: Batch) -> Tensor:
            (output,) = only.extractor(batch).values()
            return only.pool("hidden", output, mapping_of(batch)["mask"])

    only = converted("wavlm", tmp_path)[0].only(("hidden",))
    batches = [batch_of(*map(wave, lengths)) for lengths in ((0.6, 0.9), (0.01,), (0.05, 0.3, 1.4))]
    one_graph_gives_the_same(Answer(), batches[0], batches)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hidden_act": "relu"}, "hidden_act is relu; gelu can be read"),
        ({"conv_stride": [4, 2, 2, 2, 2, 2, 2]}, "no whole number of 10 ms apart"),
        ({"num_hidden_layers": 4}, r"has no `encoder\.layers\.3\.attention"),
        ({"hidden_size": 28}, "do not fit"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0; a number from 1 on is needed"),
        ({"layer_norm_eps": 3e-5}, "powers of ten"),
        ({"conv_pos_batch_norm": True}, "conv_pos_batch_norm is True"),
    ],
)
def test_other_networks_are_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    converted("wav2vec2", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(BadWeights, match=told):
        convert(Source(tmp_path), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_folders_without_safetensors_or_of_another_rate_are_refused(tmp_path: Path) -> None:
    converted("wav2vec2", tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"sampling_rate": 8_000}))
    with pytest.raises(BadWeights, match="sampling_rate is 8000; 16000 can be read"):
        convert(Source(tmp_path), tmp_path / "out.safetensors")
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(BadWeights, match=r"only pytorch_model\.bin, a pickle, which is not read"):
        convert(Source(tmp_path), tmp_path / "out.safetensors")
