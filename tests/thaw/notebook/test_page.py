"""docs/python.md as it stands: each block in the order of the page, in one process, where there is no project."""

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from documented import NOTEBOOK, blocks
from made_up_sounds import tones_in_classes
from registration import copy_empty_store
from tiny_sources import write_digits, write_texts
from typer.testing import CliRunner

from thaw.foundation.files.shipped import shipped
from thaw.kinds.registry import kind_named
from thaw.params.values.places import SHIPPED_WEIGHTS
from thaw.strategies import backbone_ranking
from thaw.strategies.advice import advising
from thaw.strategies.advice.pool import Fold, Pool, draw_folds


@pytest.mark.parametrize("page", NOTEBOOK, ids=lambda page: page.name)
def test_every_block_runs(page: Path, tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lay_data(tmp_path)
    monkeypatch.chdir(copy_empty_store(empty_store, tmp_path))
    monkeypatch.setenv("THAW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(type(kind_named("images")), "usual_backbone", "thaw_small")  # the page's own is downloaded
    for module in (advising, backbone_ranking):
        monkeypatch.setattr(module, "draw_folds", _two_folds)  # the page takes five, three times
    monkeypatch.setattr(advising, "OTHER_HEADS", ("knn",))
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)  # noqa: S102  # that it runs is what is tested
    assert names["answers"]["reason"].tolist()[-1] == "does not exist" and len(names["answers"]) > 10
    assert names["critic"].setup.kind.name == "texts" and names["listener"].setup.kind.name == "sounds"
    assert names["features"].shape[1] == 2 + 256

    from flows.cli import app

    for block in blocks(page):
        for line in block.splitlines():
            ran = CliRunner().invoke(app, [*shlex.split(line, comments=True)[1:], "--no-git"])
            assert ran.exit_code == 0, f"{line}: {ran.output}"
    assert (tmp_path / "birds/params.yaml").is_file()


def _lay_data(root: Path) -> None:
    """What the reader has: photographs, other ones, one alone, a network, reviews and recordings."""
    for name, count in (("photos", 16), ("other photos", 24)):
        digits = write_digits(root / name, count=count)
        for label, own in (("0", "ants"), ("1", "bees"), ("2", "wasps")):
            (digits / label).rename(digits / own)
        for file in digits.rglob("*.png"):
            file.rename(file.with_suffix(".jpg"))
    shutil.copy(root / "other photos/ants/20.jpg", root / "new.jpg")
    shutil.copy(shipped(SHIPPED_WEIGHTS["thaw_small"]), root / "mobilenet.pth")
    write_texts(root / "reviews.csv")
    tones = tones_in_classes(root / "recordings")
    for label, own in (("low", "yes"), ("high", "no")):
        (tones / label).rename(tones / own)


def _two_folds(pool: Pool, *, folds: int, repeats: int, seed: int) -> list[Fold]:
    return list(draw_folds(pool, folds=2, repeats=1, seed=seed))
