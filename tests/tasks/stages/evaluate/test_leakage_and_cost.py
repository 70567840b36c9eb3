"""What `evaluate` writes for the gates, on pictures that the earlier stages took."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from stage_runs import run_stage

from tasks.project.paths import FEATURES_INDEX, MANIFEST, REPORT, STRATEGY
from tasks.registry.local_model import read_assembled
from tasks.stages import advise, extract, head, ingest
from tasks.stages.evaluate.leakage_and_cost import check
from thaw.dataset.corrections import CORRECTIONS, Correction, write_corrections
from thaw.dataset.manifest import TEST, build_manifest, read_manifest
from thaw.dataset.selection import examples_of
from thaw.evaluation.checks import Checks, read_checks
from thaw.features.store.store import read_index
from thaw.models.serving_cost import megabytes_of, read_serving_cost
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import read_strategy


def checked() -> Checks:
    manifest, layer = read_manifest(MANIFEST), read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    check(read_params(), manifest, layer, examples_of(manifest, TEST), REPORT)
    return read_checks(REPORT / "checks.json")


def test_clean_pictures_have_nothing_against_them(project: Path) -> None:
    found = checked()
    assert found == read_checks(REPORT / "checks.json")
    assert (found.leakage.learnt, found.leakage.copies, found.leakage.groups) == (16, 0, 0)
    assert (found.near_copies.compared, found.near_copies.copies) == (40, 0)
    assert found.suspects is not None and (found.suspects.labels, found.suspects.suspects) == (16, 0)
    cost = read_serving_cost(REPORT / "serving.json")
    assert cost.megabytes == megabytes_of(read_assembled(read_params())) and cost.single_ms > 0


def test_a_near_copy_and_a_wrong_label_are_counted_until_a_person_decides(project: Path) -> None:
    copied = Image.open("photos/train/dark/0.png")
    pixels = np.asarray(copied).copy()
    pixels[0, 0] += 1
    Image.fromarray(pixels).save("photos/test/dark/again.png")
    Path("photos/train/dark/1.png").rename("photos/train/light and bright/dark.png")
    for stage in (ingest, extract, advise, head):
        run_stage(stage)
    found = checked()
    assert found.near_copies.copies == 1
    assert found.suspects is not None and found.suspects.suspects == 1
    (wrong,) = (one for one in read_manifest(MANIFEST).examples() if one.path.endswith("bright/dark.png"))
    write_corrections({wrong.digest: Correction(wrong.digest, wrong.label, wrong.path)}, CORRECTIONS)
    decided = checked().suspects
    assert decided is not None and decided.suspects == 0


def test_a_group_that_is_learnt_from_and_held_out_is_leakage(project: Path) -> None:
    """No source of ours makes such a manifest; one that was written by hand may."""
    examples = [
        replace(one, group="one cow") if one.path.endswith("/0.png") else one
        for one in read_manifest(MANIFEST).examples()
    ]
    manifest, layer = build_manifest(examples), read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    check(read_params(), manifest, layer, examples_of(manifest, TEST), REPORT)
    assert read_checks(REPORT / "checks.json").leakage.groups == 2
