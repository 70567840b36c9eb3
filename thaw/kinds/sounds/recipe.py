"""The preparation of sounds for an exported graph by soundfile and soxr alone, for the README of exports."""

from thaw.kinds.kind import Recipe

NOTE = """\
`samples` holds the wave in frames of 10 ms, from -1 to 1, the mean of a file's channels at the rate in `model.json`; `mask` is false behind the end of a
shorter sound. T is the number of frames of the longest sound. The graph computes spectra itself. soundfile reads WAV, FLAC, Ogg Vorbis, Opus and MP3."""
CODE = '''\
def frames_of(path):
    """float32 [frames, samples of a frame]"""
    rate = card["preprocessing"]["rate"]
    samples, given = soundfile.read(path, dtype="float32", always_2d=True)
    wave = soxr.resample(samples.mean(1), given, rate, quality="HQ")
    hop = rate // 100
    return np.pad(wave, (0, -len(wave) % hop)).reshape(-1, hop)


def batch_of(paths):
    """The inputs of the graph."""
    sounds = [frames_of(path) for path in paths]
    longest = max(len(each) for each in sounds)
    samples = np.stack([np.pad(each, ((0, longest - len(each)), (0, 0))) for each in sounds])
    return {"samples": samples, "mask": np.stack([np.arange(longest) < len(each) for each in sounds])}
'''
RECIPE = Recipe(NOTE, ("soundfile", "soxr"), ("import soundfile", "import soxr"), CODE)
"""It reads the settings of every preprocessing; the level of a sound is set within the graph."""
