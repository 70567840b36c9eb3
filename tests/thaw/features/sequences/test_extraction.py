"""Sequences of recordings: cached once, the same as the network gives, in parts of which none is half there."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from listening_models import RATE, embedding
from made_up_sounds import tone, tones_in_classes, written

from thaw.backbones.encoders.speech_embedding import LOCAL
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places, places_of
from thaw.features.sequences import extraction
from thaw.features.sequences.extraction import Recordings, extract_sequences
from thaw.features.sequences.network import refuse_unless_local, sequence
from thaw.features.sequences.plan import HearingPlan
from thaw.features.sequences.store import Heard, read_sequences, write_sequences
from thaw.features.sequences.surroundings import BEFORE, BEHIND, surrounded
from thaw.features.store.hearing import CLEARLY, Hearing
from thaw.features.store.store import FeatureStore, SequenceLayer
from thaw.features.store.upkeep import cached_layers, compact, verify
from thaw.foundation.errors import BadParameters, IncompleteFeatures, StaleFeatures
from thaw.kinds.registry import kind_named
from thaw.kinds.sounds.framed import SAMPLES, framed
from thaw.params.sections import DatasetParams, ExtractParams

PARAMS = DatasetParams()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Places]:
    folder = tones_in_classes(tmp_path_factory.mktemp("sounds") / "tones", 2)
    (folder / "low/long.wav").write_bytes(written(tone(9.0, hertz=300)))
    params = DatasetParams(source=str(folder))
    places = places_of(params)
    return ingest(places, params, kind_named("sounds")).manifest, places


def extracted(
    sounds: tuple[Manifest, Places],
    root: Path,
    told: list[int] | None = None,
    architecture: str = LOCAL,
    **params: object,
) -> SequenceLayer:
    asked = ExtractParams(workers=1, **params)  # type: ignore[arg-type]

    def progress(done: int, total: int) -> None:
        if told is not None:
            told.append(done)

    manifest, places = sounds
    plan = HearingPlan({CLEARLY: manifest.examples()}, {})
    recordings = Recordings(places, PARAMS.limits)
    (layer,) = extract_sequences(
        plan, recordings, embedding(architecture), FeatureStore(root), asked, progress=progress
    )
    return layer


def test_recordings_are_heard_in_noise_and_without_a_backbone(sounds: tuple[Manifest, Places], tmp_path: Path) -> None:
    manifest, places = sounds
    *rows, noise = manifest.examples()
    loud = [Hearing(noise="train", snr=snr) for snr in (20.0, 5.0)]
    plan = HearingPlan({CLEARLY: rows, Hearing(plain=True): rows, **dict.fromkeys(loud, rows)}, {"train": [noise]})
    store, recordings = FeatureStore(tmp_path), Recordings(places, PARAMS.limits)
    layers = extract_sequences(plan, recordings, embedding(), store, ExtractParams(workers=1))
    assert len({layer.fingerprint for layer in layers}) == 4 and [layer.hearing for layer in layers] == list(plan.rows)
    clear, plain, faint, strong = (
        [each.features for each in read_sequences(store, layer, [row.digest for row in rows])] for layer in layers
    )
    assert plain[0].shape[1] == 40
    for own, little, much in zip(clear, faint, strong, strict=True):
        assert 0 < (own - little).abs().mean() < (own - much).abs().mean(), (
            "the more noise, the further from the clear sound"
        )
    told: list[int] = []
    again = extract_sequences(
        plan, recordings, embedding(), store, ExtractParams(workers=1), progress=lambda done, _: told.append(done)
    )
    assert again == layers and told == []
    other = HearingPlan(plan.rows, {"train": rows[:1]})
    changed = extract_sequences(other, recordings, embedding(), store, ExtractParams(workers=1))
    assert [one.fingerprint == two.fingerprint for one, two in zip(layers, changed, strict=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_sequence_is_what_the_network_gives_with_quiet_around_the_recording(
    sounds: tuple[Manifest, Places], tmp_path: Path
) -> None:
    layer = extracted(sounds, tmp_path)
    assert (layer.dim, layer.period_s) == (96, 0.08)
    (long,) = (row for row in sounds[0].examples() if row.path == "low/long.wav")
    (heard,) = read_sequences(FeatureStore(tmp_path), layer, [long.digest])
    frames = framed(torch.from_numpy(tone(9.0, hertz=300)), RATE)[SAMPLES]
    assert heard.hours == pytest.approx(9 / 3600) and len(frames) == heard.frames
    whole = surrounded(frames)
    assert len(whole) == BEFORE + 900 + BEHIND and torch.equal(whole[BEFORE:-BEHIND], frames)
    backbone = embedding()
    own = sequence(backbone, refuse_unless_local(backbone), whole)
    assert heard.features.shape == own.shape
    assert (heard.features - own).abs().max() < 1e-3 * own.abs().max(), "the file has 16 bits"


def test_a_second_run_hears_nothing_and_a_killed_one_goes_on(
    sounds: tuple[Manifest, Places], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_parts: list[list[bytes]] = []
    write = extraction.write_sequences

    def write_or_die(*arguments: object) -> Path:
        if len(written_parts) == 2:
            raise KeyboardInterrupt
        written_parts.append(arguments[2])  # type: ignore[arg-type]
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(extraction, "write_sequences", write_or_die)
    with pytest.raises(KeyboardInterrupt):
        extracted(sounds, tmp_path, part_rows=2)
    monkeypatch.undo()
    told: list[int] = []
    layer = extracted(sounds, tmp_path, told, part_rows=2)
    assert told[-1] == len(sounds[0]) - 4, "two parts of two were whole"
    again: list[int] = []
    extracted(sounds, tmp_path, again, part_rows=2)
    assert again == []
    store = FeatureStore(tmp_path)
    assert verify(store).damaged == () and verify(store).parts == 4
    assert compact(store, layer.stored, 2048) == 0
    (cached,) = cached_layers(store)
    assert (cached.layer.name, cached.rows) == ("embedding.sequence", len(sounds[0]))


@pytest.mark.parametrize(
    "spoilt", [lambda one: replace(one, features=one.features + 1), lambda one: replace(one, features=one.features[1:])]
)
def test_with_new_recordings_some_cached_ones_are_heard_again_and_must_be_the_same(
    sounds: tuple[Manifest, Places], tmp_path: Path, caplog: pytest.LogCaptureFixture, spoilt: Callable[[Heard], Heard]
) -> None:
    rows, store, recordings = sounds[0].examples(), FeatureStore(tmp_path), Recordings(sounds[1], PARAMS.limits)

    def heard(count: int, engine: Literal["auto", "ray"] = "auto") -> SequenceLayer:
        plan = HearingPlan({CLEARLY: rows[:count]}, {})
        with caplog.at_level(logging.INFO):
            asked = ExtractParams(workers=1, engine=engine)
            (layer,) = extract_sequences(plan, recordings, embedding(), store, asked)
        return layer

    layer = heard(2)
    assert (
        heard(3) == layer and "self-check: 2 cached recordings heard again, largest difference 0.0000 sd" in caplog.text
    )
    for path in store.parts(layer.stored):
        path.unlink()
    digests = [row.digest for row in rows[:3]]
    heard(3)
    wrong = [spoilt(each) for each in read_sequences(store, layer, digests)]
    write_sequences(store, layer, digests, wrong, store.stated(layer.stored)[0])
    with pytest.raises(StaleFeatures, match=r"cached features of embedding.sequence (differ by up to|have \d+ places)"):
        heard(4)


def test_a_damaged_part_is_set_aside_and_heard_again(sounds: tuple[Manifest, Places], tmp_path: Path) -> None:
    layer = extracted(sounds, tmp_path)
    store = FeatureStore(tmp_path)
    (part,) = store.parts(layer.stored)
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    before = {row.digest for row in sounds[0].examples()}
    told: list[int] = []
    extracted(sounds, tmp_path, told)
    assert told == [len(before)] and len(list(part.parent.glob("*.damaged"))) == 1


def test_half_precision_is_another_layer_and_close(sounds: tuple[Manifest, Places], tmp_path: Path) -> None:
    full, half = extracted(sounds, tmp_path), extracted(sounds, tmp_path, dtype="float16")
    assert full.fingerprint != half.fingerprint
    digests = sounds[0].digests
    one, other = (read_sequences(FeatureStore(tmp_path), layer, digests) for layer in (full, half))
    for first, second in zip(one, other, strict=True):
        assert first.frames == second.frames and second.features.dtype == torch.float32
        np.testing.assert_allclose(second.features, first.features, atol=0.05, rtol=2e-3)


def test_a_recording_without_a_sequence_and_a_network_without_places_are_refused(
    sounds: tuple[Manifest, Places], tmp_path: Path
) -> None:
    layer = extracted(sounds, tmp_path)
    with pytest.raises(IncompleteFeatures, match="1 of 1 recordings have no sequence"):
        read_sequences(FeatureStore(tmp_path), layer, [b"?" * 32])
    with pytest.raises(BadParameters, match="take speech_embedding-local"):
        extracted(sounds, tmp_path, architecture="speech_embedding")
