"""The speech embedding beside the ONNX graphs that it comes from, in batches, in windows, and what holds for every backbone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.architectures import build, build_seeded, classifier_input
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.blocks import blocks_of, spread_layers
from thaw.backbones.converting.packages import folder_of
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.speech_embedding_backbones import NAME, backbone_in
from thaw.backbones.encoders.speech_embedding import FAMILY, FILLED, LEAST, LOCAL, SpeechEmbedding
from thaw.backbones.engines.engine import Engine
from thaw.backbones.engines.packed_engine import is_packable
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.engines.whole_network import is_fusible
from thaw.backbones.places import Span
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.progress import untold
from thaw.kinds.batches import Batch, mapping_of, stacked
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.params.sections import Pooling

RATE = 16_000
LAYERS = ("log_mel", "blocks.0", "blocks.1", "blocks.2", "blocks.3", "blocks.4", "embedding")


@pytest.fixture(scope="module")
def weights() -> Weights:
    folder = folder_of(NAME)
    assert folder is not None
    made = backbone_in(Source(folder), untold)
    assert made is not None
    return made.weights


@pytest.fixture(scope="module")
def backbone(weights: Weights) -> Backbone:
    return cut(FAMILY, Weights(weights.tensors, {}), LAYERS, WaveformPreprocessing(RATE))


def wave(seconds: float, seed: int = 0) -> Tensor:
    """Tones that come and go, over a little noise."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(round(seconds * RATE)) / RATE
    pitch = torch.rand(3, 1, generator=generator) * 2_000 + 100
    tones = ((2 * torch.pi * pitch * time).sin() * (torch.pi * time * pitch / 500).sin()).sum(0)
    return 0.1 * tones + 0.001 * torch.randn(len(time), generator=generator)


def graphs() -> tuple[Any, Any]:
    folder = folder_of(NAME)
    assert folder is not None
    files = (folder / "resources" / name for name in ("melspectrogram.onnx", "embedding_model.onnx"))
    first, second = (onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]) for file in files)
    return first, second


def by_graphs(samples: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The spectrogram [T, 32] and the embeddings [P, 96] as openWakeWord computes them: of windows of 76 places, each 8 behind the one before."""
    spectrum, embedding = graphs()
    places = spectrum.run(None, {"input": samples[None].numpy()})[0][0, 0] / 10 + 2
    windows = np.stack([places[start : start + 76] for start in range(0, len(places) - 75, 8)])
    return places, embedding.run(None, {"input_1": windows[..., None]})[0][:, 0, 0]


@pytest.fixture(scope="module")
def local(weights: Weights) -> Backbone:
    return cut(LOCAL, Weights(weights.tensors, {}), LAYERS, WaveformPreprocessing(RATE))


def outputs(backbone: Backbone, *waves: Tensor) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = backbone.extractor(stacked([framed(each, RATE) for each in waves]))
    return found


@pytest.mark.parametrize("seconds", [0.79, 0.8, 1.53, 4.0])
def test_a_sound_gives_what_the_graphs_give_in_windows(seconds: float, backbone: Backbone) -> None:
    samples = wave(seconds)
    places, embeddings = by_graphs(samples)
    found = outputs(backbone, samples)
    assert np.abs(found["log_mel"][0, : len(places)].numpy() - places).max() < 1e-4
    assert np.abs(found["embedding"][0, : len(embeddings)].numpy() - embeddings).max() < 1e-4
    pooled = backbone.features(stacked([framed(samples, RATE)]))["embedding"]
    assert np.abs(pooled.numpy() - embeddings.mean(0)).max() < 1e-4


def test_real_speech_gives_what_the_graphs_give(real_data: Path, backbone: Backbone) -> None:
    soundfile = pytest.importorskip("soundfile")
    folder = real_data / "sounds"
    files = [folder / "stream/multiple_keywords.flac", *sorted((folder / "commands").rglob("*.*"))[:3]]
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32", frames=10 * RATE)
        assert rate == RATE
        given = torch.from_numpy(samples[: len(samples) // 160 * 160])
        _, embeddings = by_graphs(given)
        assert np.abs(outputs(backbone, given)["embedding"][0, : len(embeddings)].numpy() - embeddings).max() < 1e-4


def test_a_sound_with_long_digital_silence_gives_what_the_graphs_give(backbone: Backbone) -> None:
    samples = torch.cat([torch.zeros(RATE), wave(1.0), torch.zeros(RATE)])
    _, embeddings = by_graphs(samples)
    found = outputs(backbone, samples)["embedding"][0, : len(embeddings)]
    assert np.abs(found.numpy() - embeddings).max() < 1e-4


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.01, 2.5), min_size=1, max_size=4), st.integers(0, 90))
def test_neither_the_batch_nor_its_padding_changes_features(
    backbone: Backbone, lengths: list[float], padding: int
) -> None:
    sounds = [framed(wave(length, seed), RATE) for seed, length in enumerate(lengths)]
    alone = [backbone.features(stacked([sound])) for sound in sounds]
    batch = mapping_of(stacked([*sounds, framed(torch.ones(padding * 160 + 1), RATE)]))
    together = backbone.features(batch)
    for layer in LAYERS:
        wanted = torch.cat([each[layer] for each in alone])
        largest = float(wanted.abs().max())  # of an embedding about 40
        assert torch.allclose(together[layer][: len(sounds)], wanted, rtol=0, atol=1e-5 * largest), layer


def test_samples_behind_the_mask_are_not_read(backbone: Backbone) -> None:
    batch = dict(mapping_of(stacked([framed(wave(0.5), RATE), framed(wave(2.0), RATE)])))
    loud = {**batch, "samples": batch["samples"].masked_fill(~batch["mask"][:, :, None], 1.0)}
    for layer, features in backbone.features(loud).items():
        assert torch.allclose(features, backbone.features(batch)[layer], atol=1e-6)


def test_each_place_depends_on_its_span_alone(local: Backbone) -> None:
    samples = wave(2.5)
    before = outputs(local, samples)
    for frame in (0, 70, 133, 240):
        changed = samples.clone()
        changed[160 * frame : 160 * frame + 160] += torch.randn(160, generator=torch.Generator().manual_seed(1))
        after = outputs(local, changed)
        for layer, span in local.model.spans.items():  # type: ignore[union-attr, operator]
            moved = (before[layer] - after[layer]).abs().amax(2)[0] > 1e-6
            starts = torch.arange(len(moved)) * span.stride
            reached = (starts <= frame) & (frame < starts + span.window)
            assert not bool((moved & ~reached).any()), (layer, frame)
            assert bool(moved.any()), (layer, frame)


def test_the_local_one_differs_in_what_is_80_db_below_the_largest_alone(backbone: Backbone, local: Backbone) -> None:
    loud = wave(2.0)
    assert torch.allclose(outputs(backbone, loud)["embedding"], outputs(local, loud)["embedding"], atol=1e-6)
    quiet = torch.cat([loud, torch.zeros(RATE)])
    one, other = (outputs(each, quiet)["log_mel"] for each in (backbone, local))
    assert other.min() == -8 and one.min() == pytest.approx(float(one.max()) - 8, abs=1e-5)


def test_a_short_sound_stands_in_the_middle_of_silence(backbone: Backbone) -> None:
    samples = wave(0.42)
    before = (FILLED - 42) // 2 * 160
    filled = torch.nn.functional.pad(samples, (before, FILLED * 160 - before - len(samples)))
    wanted = backbone.features(stacked([framed(filled, RATE)]))
    for layer, features in backbone.features(stacked([framed(samples, RATE)])).items():
        assert torch.allclose(features, wanted[layer], atol=1e-6), layer


def test_spans_count_places_whose_window_lies_in_the_sound() -> None:
    span = Span(window=LEAST, stride=8, least=LEAST, filled=FILLED)
    mask = torch.arange(200) < torch.tensor([[79], [86], [87], [200], [78]])
    assert span.counted(mask, 16).sum(1).tolist() == [1, 1, 2, 16, 10]
    assert span.counted(mask, 16)[1].nonzero().flatten().tolist() == [0]


def test_its_blocks_are_cut_layers() -> None:
    network = build(FAMILY, 3)
    assert isinstance(network, SpeechEmbedding)
    assert sum(each.numel() for name, each in network.named_parameters() if not name.startswith("fc")) == 328_128
    assert classifier_input(network) == "embedding"
    assert [block.output for block in blocks_of(network)] == [*LAYERS[1:-2], "blocks.4", "embedding"]
    assert set(spread_layers(network)) <= set(network.spans)


def test_a_layer_without_a_span_is_refused(weights: Weights) -> None:
    with pytest.raises(BadParameters, match=r"blocks\.1\.convolutions\.0 given; the layers of speech_embedding .*log_"):
        cut(FAMILY, Weights(weights.tensors, {}), ("blocks.1.convolutions.0",), WaveformPreprocessing(RATE))


def test_it_trains_from_random_weights_and_from_its_own() -> None:
    network = build_seeded(FAMILY, 2, 0)
    batch = stacked([framed(wave(0.8, 1), RATE), framed(wave(1.0, 2), RATE)])
    optimiser, labels = torch.optim.Adam(network.parameters(), 1e-3), torch.tensor([0, 1])
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(network(batch).mean(1), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_one_exported_graph_takes_sounds_of_any_length(backbone: Backbone) -> None:
    class Answer(torch.nn.Module):
        def forward(self, batch: Batch) -> Tensor:
            (output,) = only.extractor(batch).values()
            return only.pool("embedding", output, mapping_of(batch)["mask"]) / 40  # the largest are about 40

    only = replace(backbone.only(("embedding",)), pooling="thirds")
    seconds = ((1.0, 1.7), (0.03,), (0.5, 0.2, 0.4), (0.79,), (2.5, 0.3))
    batches = [stacked([framed(wave(each), RATE) for each in lengths]) for lengths in seconds]
    one_graph_gives_the_same(Answer(), batches[0], batches)


def test_engines_agree_or_do_not_take_it(backbone: Backbone) -> None:
    batch = stacked([framed(wave(length), RATE) for length in (0.4, 1.2, 0.9)])
    engine: Engine = build_torch_engine(backbone, "float32", torch.device("cpu"))
    for layer, features in engine.features(batch).items():
        assert torch.allclose(features, backbone.features(batch)[layer], atol=1e-4), layer
    assert not is_packable(backbone) and not is_fusible(backbone, batch)


def test_short_sounds_do_not_pay_for_the_longest_of_their_batch(backbone: Backbone) -> None:
    engine, frames = build_torch_engine(backbone, "float32", torch.device("cpu")), list[int]()

    def spied(batch: Batch) -> dict[str, Tensor]:
        frames.append(mapping_of(batch)["mask"].shape[1])
        outputs: dict[str, Tensor] = engine.network(batch)
        return outputs

    batch = stacked([framed(wave(seconds), RATE) for seconds in (3.0, 2.5, 1.5, 1.0)])
    replace(engine, network=spied).features(batch)  # type: ignore[arg-type]
    assert frames == [300, 150]


@pytest.mark.parametrize("pooling", ["max", "gem", "thirds"])
def test_other_poolings_count_the_same_places(pooling: Pooling, backbone: Backbone) -> None:
    pooled = replace(backbone, pooling=pooling)
    alone = pooled.features(stacked([framed(wave(0.9), RATE)]))
    together = pooled.features(stacked([framed(wave(0.9), RATE), framed(wave(2.0), RATE)]))
    assert all(torch.allclose(together[layer][:1], alone[layer], atol=1e-5) for layer in LAYERS)
