"""Which recordings are heard in which noise."""

import pytest

from thaw.dataset.manifest import TRIGGER, Example, build_manifest
from thaw.features.sequences.mixing import MEASURED_SNRS, OTHERS_SNR, TRAINED_SNRS
from thaw.features.sequences.plan import plan_of
from thaw.features.store.hearing import CLEARLY, Hearing
from thaw.foundation.errors import BadParameters

PLACES = ("go.wav", "talk.wav", "noise/kitchen.wav")


def row(path: str, split: str) -> Example:
    labels = ("go",) if path == "go.wav" else ()
    digest = f"{path}{split}".encode().ljust(32, b".")
    return Example(digest, f"{path}".replace(".", f"-{split}."), None, split, None, (16_000, 1), 10, labels)


ROWS = [row(path, split) for path in PLACES for split in ("train", "val", "test")]


def test_both_kinds_are_trained_in_noise_and_the_trigger_is_measured_in_other_noise() -> None:
    plan = plan_of(build_manifest(ROWS, "sounds", target=TRIGGER), "noise")
    heard = {hearing: sorted(each.path for each in rows) for hearing, rows in plan.rows.items()}
    assert len(heard.pop(CLEARLY)) == len(heard.pop(Hearing(plain=True))) == 9
    for plain in (False, True):
        for snr in TRAINED_SNRS:
            own = heard.pop(Hearing(plain, "train", snr))
            assert own == (["go-train.wav", "talk-train.wav"] if snr == OTHERS_SNR else ["go-train.wav"])
    assert heard == {Hearing(noise="test", snr=snr): ["go-test.wav"] for snr in MEASURED_SNRS}
    assert [each.path for each in plan.noise["train"]] == ["noise/kitchen-train.wav"]
    assert plan.within(Hearing(noise="train", snr=5.0), ROWS) == [ROWS[0]]


def test_without_noise_nothing_is_heard_in_noise_and_a_split_without_noise_has_none() -> None:
    manifest = build_manifest(ROWS, "sounds", target=TRIGGER)
    assert list(plan_of(manifest, None).rows) == [CLEARLY, Hearing(plain=True)]
    few = build_manifest([each for each in ROWS if each.path != "noise/kitchen-test.wav"], "sounds", target=TRIGGER)
    assert {hearing.noise for hearing in plan_of(few, "noise/").rows} == {None, "train"}


def test_a_folder_without_noise_is_refused() -> None:
    manifest = build_manifest([*ROWS, row("go.wav", "train")], "sounds", target=TRIGGER)
    with pytest.raises(BadParameters, match=r"trigger\.noise: noises given, and no recording of the source lies below"):
        plan_of(manifest, "noises")
    wrong = [*ROWS, Example(b"!" * 32, "noise/go.wav", None, "train", None, (1, 1), 1, ("go",))]
    with pytest.raises(BadParameters, match=r"noise/go\.wav shows go, and noise has no trigger"):
        plan_of(build_manifest(wrong, "sounds", target=TRIGGER), "noise")
