"""Sounds as a kind: values, prepared batches, previews, and what leaves Thaw."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from made_up_sounds import tone, written
from PIL import Image

from thaw.foundation.errors import BadExample, BadParameters
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import Batch, mapping_of, rows_in
from thaw.kinds.kind import Limits, Reader
from thaw.kinds.registry import kind_named, preprocessing_from_json
from thaw.kinds.sounds.files import FORMATS
from thaw.kinds.sounds.kind import KIND
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.kinds.sounds.waves import sixteen_bits, wav_of

WAV = written(tone())
PREPROCESSING = WaveformPreprocessing()


def reader(preprocessing: WaveformPreprocessing = PREPROCESSING, limits: Limits | None = None) -> Reader:
    return KIND.reader(preprocessing, limits or Limits(), MemoryBound(2**20))


def batch_of(*waves: object) -> Batch:
    return KIND.collate([reader().prepare(written(wave)) for wave in waves])


def test_the_preprocessing_survives_its_json() -> None:
    for preprocessing in (WaveformPreprocessing(), WaveformPreprocessing(rate=8_000, level="unit")):
        assert preprocessing_from_json(preprocessing.to_json()) == preprocessing
        assert len(preprocessing.probe_digest()) == 64
    with pytest.raises(KeyError, match="form"):
        preprocessing_from_json('{"kind": "sounds", "form": "mels"}')
    with pytest.raises(BadParameters, match="sounds are always read exactly"):
        PREPROCESSING.with_decoding("scaled")


def test_a_prepared_sound_is_its_wave_in_frames(tmp_path: Path) -> None:
    samples = tone(0.5)[:7999]
    prepared = mapping_of(reader().prepare(written(samples, subtype="FLOAT")))
    assert prepared["samples"].shape == (50, 160) and prepared["mask"].shape == (50,)
    assert np.array_equal(prepared["samples"].flatten()[:7999].numpy(), samples) and prepared["samples"][-1, -1] == 0
    both = mapping_of(batch_of(tone(0.5), tone(0.2)))
    assert both["mask"].sum(1).tolist() == [50, 20] and both["samples"][1, 20:].abs().max() == 0


@pytest.mark.parametrize(
    "value",
    [WAV, bytearray(WAV), (tone(), 16_000), [tone().tolist(), 16_000], {"samples": tone().tolist(), "rate": 16_000},
     {"array": tone().astype(np.float64), "sampling_rate": 16_000}, (sixteen_bits(tone()), 16_000), KIND.example_value],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_values_become_files(value: object) -> None:
    stored = KIND.inspect(KIND.from_value(value), Limits())
    assert stored.format == "WAV" and stored.shape[1] == 1


def test_paths_become_files(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    assert KIND.from_value(str(tmp_path / "a.wav")) == KIND.from_value(tmp_path / "a.wav") == WAV


@pytest.mark.parametrize(
    "value",
    [1.5, None, tone(), {"samples": [0.0]}, {"rate": 16_000}, (["a"], 16_000), ([0.0, 0.1], "fast"), ([0.0, 0.1], -1),
     (np.zeros((2, 2, 2)), 16_000), ([1, 2, 3], 16_000), ([[0.1], [0.1, 0.2]], 16_000)],
    ids=str,
)  # fmt: skip
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(BadExample, match=r"is given|is an array"):
        KIND.from_value(value)


def test_wav_files_are_those_of_libsndfile() -> None:
    stereo = np.stack([tone(0.1), tone(0.1, hertz=900)], 1)
    for samples in (stereo, sixteen_bits(stereo), stereo[:, 0], sixteen_bits(np.full(3, 1.5, np.float32))):
        read, rate = soundfile.read(io.BytesIO(wav_of(samples, 22_050)), dtype=samples.dtype.name)
        assert rate == 22_050 and np.array_equal(read, samples)


@pytest.mark.parametrize("small", [False, True])
def test_a_preview_is_heard_and_seen(small: bool) -> None:
    preview = KIND.preview(written(tone(12, rate=44_100), 44_100), Limits(), small=small)
    assert preview.media_type == "audio/wav"
    heard, rate = soundfile.read(io.BytesIO(preview.content))
    assert (rate, len(heard)) == ((8_000, 24_000) if small else (16_000, 160_000))
    assert KIND.inspect(preview.content, Limits()).format == "WAV", "a preview is itself an example"
    assert preview.drawing is not None
    image = Image.open(io.BytesIO(preview.drawing)).convert("L")
    assert image.size == ((128, 64) if small else (320, 120))


def test_the_drawing_shows_high_tones_above_low_ones() -> None:
    def brightest_row(hertz: float) -> int:
        drawing = KIND.preview(written(tone(0.5, hertz=hertz)), Limits()).drawing
        assert drawing is not None
        return int(np.asarray(Image.open(io.BytesIO(drawing)).convert("L")).mean(1).argmax())

    assert brightest_row(3000) < brightest_row(800) < brightest_row(200)
    shortest = KIND.preview(written(tone(0.01)), Limits()).drawing
    assert shortest is not None


def test_made_up_sounds_and_the_reader() -> None:
    made = KIND.samples(9)
    assert len({*made}) == 9
    assert all(KIND.inspect(content, Limits()).rate == 16_000 for content in made)
    assert reader().exact() is None and reader().on(torch.device("cpu")) is None
    with pytest.raises(BadExample, match=r"`dataset\.max_seconds` allows 0\.1"):
        reader(limits=Limits(max_seconds=0.1)).prepare(WAV)


def test_the_recipe_prepares_as_thaw_does(tmp_path: Path) -> None:
    recipe = KIND.recipe(PREPROCESSING)
    paths = [tmp_path / "a.wav", tmp_path / "b.flac"]
    paths[0].write_bytes(written(np.stack([tone(0.3, rate=44_100)] * 2, 1), 44_100))
    paths[1].write_bytes(written(tone(0.2, rate=8_000), 8_000, "FLAC"))
    space: dict[str, object] = {"np": np, "card": {"preprocessing": {"rate": 16_000}}}
    exec("\n".join(recipe.imports) + "\n" + recipe.code, space)  # noqa: S102  # the recipe is a program
    given = space["batch_of"](paths)  # type: ignore[operator]
    own = mapping_of(KIND.collate([reader().prepare(path.read_bytes()) for path in paths]))
    assert np.abs(given["samples"] - own["samples"].numpy()).max() < 1e-6
    assert np.array_equal(given["mask"], own["mask"].numpy())


def test_words_and_names_cost_nothing() -> None:
    said = (
        "import sys; from thaw.kinds.registry import kind_named; "
        "print(kind_named('sounds').words.many, [m for m in ('torch', 'soundfile', 'soxr') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["sounds", "[]"]
    assert kind_named("sounds") is KIND


def test_mixing_is_refused() -> None:
    with pytest.raises(BadParameters, match="sounds cannot be mixed"):
        KIND.mixing(0.2, 0, 3)
    assert KIND.mixing(0, 0, 3) is None
    assert set(KIND.augmentations) == {"none", "noise", "vary"}
    for how in KIND.augmentations:
        assert rows_in(KIND.augment(batch_of(tone(), tone()), how)) == 2
    with pytest.raises(ValueError, match="there is no augmentation flip"):
        KIND.augment(batch_of(tone()), "flip")


def test_libsndfile_reads_all_formats_that_are_named() -> None:
    assert set(FORMATS) <= set(soundfile.available_formats())
