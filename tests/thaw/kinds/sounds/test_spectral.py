"""Mel spectra, cepstra and their statistics."""

import numpy as np
import scipy.fft
import torch
from made_up_sounds import tone

from thaw.kinds.batches import mapping_of, stacked
from thaw.kinds.plain import plain_features
from thaw.kinds.sounds.framed import SAMPLES, framed
from thaw.kinds.sounds.kind import KIND
from thaw.kinds.sounds.mels import _bands, cepstra, log_mels
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.kinds.sounds.spectral import spectral_statistics


def prepared(*waves: object) -> dict[str, torch.Tensor]:
    return dict(mapping_of(stacked([framed(torch.from_numpy(wave), 16_000) for wave in waves])))


def test_log_mels_are_those_of_a_fourier_transform() -> None:
    wave = tone(0.2)
    ours = log_mels(prepared(wave)[SAMPLES], 16_000, 40)[0].numpy()
    padded = np.pad(wave.astype(np.float64), (0, 400))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    for frame in (0, 7, 19):
        spectrum = np.abs(np.fft.rfft(padded[160 * frame : 160 * frame + 400] * window, 512)) ** 2
        expected = np.log(spectrum @ _bands(16_000, 40) + 1e-6)
        np.testing.assert_allclose(ours[frame], expected, atol=2e-3)


def test_cepstra_are_an_orthonormal_cosine_transform() -> None:
    mels = torch.randn(1, 5, 40)
    expected = scipy.fft.dct(mels.numpy(), norm="ortho")[:, :, :20]
    np.testing.assert_allclose(cepstra(mels, 20).numpy(), expected, atol=1e-5)


def test_statistics_do_not_depend_on_the_padding() -> None:
    waves = [tone(0.4), tone(0.03, hertz=900), tone(0.9, hertz=200)]
    together = spectral_statistics(prepared(*waves))
    assert together.shape == (3, 240) and torch.isfinite(together).all()
    for row, wave in enumerate(waves):
        torch.testing.assert_close(together[row], spectral_statistics(prepared(wave))[0], atol=1e-3, rtol=1e-4)


def test_slices_know_the_order_of_sounds() -> None:
    low, high = tone(0.3, hertz=200), tone(0.3, hertz=3000)
    one, other = spectral_statistics(prepared(np.concatenate([low, high]), np.concatenate([high, low])))
    assert (one[:40] - other[:40]).abs().max() < 0.4
    assert (one[80:] - other[80:]).abs().max() > 2


def test_the_plain_model_takes_16_khz_whatever_the_backbone_takes() -> None:
    preprocessing = KIND.plain_preprocessing(WaveformPreprocessing(rate=8_000, level="unit"))
    assert preprocessing == WaveformPreprocessing()
    batch = prepared(tone(0.4), tone(0.2))
    assert plain_features(batch, preprocessing).equal(spectral_statistics(batch))


def test_statistics_export_for_any_length() -> None:
    class Plain(torch.nn.Module):
        def forward(self, samples: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return spectral_statistics({"samples": samples, "mask": mask})

    rows, frames = torch.export.Dim("rows"), torch.export.Dim("frames")
    first, other = prepared(tone(0.4), tone(0.3)), prepared(tone(0.9), tone(0.05), tone(0.2))
    shapes = {"samples": {0: rows, 1: frames}, "mask": {0: rows, 1: frames}}
    exported = torch.export.export(Plain(), (first["samples"], first["mask"]), dynamic_shapes=shapes).module()
    torch.testing.assert_close(
        exported(other["samples"], other["mask"]), spectral_statistics(other), atol=1e-4, rtol=1e-4
    )
