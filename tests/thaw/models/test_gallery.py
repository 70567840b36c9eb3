"""Which training images are in the gallery, what is kept of them, and what is nearest."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from thaw.dataset.manifest import TRAIN, Example
from thaw.dataset.places import Places
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes
from thaw.heads.standardisation import fit_standardisation
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.preview import SMALL_SIDE
from thaw.kinds.kind import Limits, Preview
from thaw.models.gallery import (
    Gallery,
    Nearness,
    build_gallery,
    read_gallery,
    spread_over_classes,
    write_gallery,
)


def example(number: int, label: str | None, labels: tuple[str, ...] | None = None) -> Example:
    return Example(digest_bytes(b"%d" % number), f"{number:04}.png", label, TRAIN, None, (8, 8, 3), 1, labels)


def picture(path: Path, size: tuple[int, int], seed: int = 0) -> Example:
    path.parent.mkdir(parents=True, exist_ok=True)
    tones = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    Image.fromarray(tones).resize(size).save(path)
    return Example(digest_bytes(path.read_bytes()), path.name, "ant", TRAIN, None, (*size, 3), 1)


def build(examples: list[Example], source: Path) -> Gallery:
    def features_of(kept):  # type: ignore[no-untyped-def]
        return torch.stack([torch.tensor([float(int(one.path[:1], 36)), 1.0]) for one in kept])

    return build_gallery(
        examples, Places(source), features_of, fingerprint="f", layer="flatten", kind=KIND, limits=Limits(10**7)
    )


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(0, 40))
def test_classes_share_the_places_evenly_while_they_last(labels: list[str], most: int) -> None:
    examples = [example(number, label) for number, label in enumerate(labels)]
    chosen = spread_over_classes(examples, most)
    assert len(chosen) == min(most, len(examples))
    assert [one.path for one in chosen] == sorted({one.path for one in chosen})
    counts = {name: sum(one.label == name for one in chosen) for name in set(labels)}
    for name, count in counts.items():
        if count < labels.count(name):
            assert max(counts.values()) <= count + 1
    assert chosen == spread_over_classes(examples[::-1], most), "the order does not matter"


def test_sets_of_labels_stand_for_the_class_that_needs_them() -> None:
    common = [example(number, None, ("dog",)) for number in range(30)]
    rare = [example(100, None, ("cat", "dog")), example(101, None, ())]
    chosen = spread_over_classes([*common, *rare], 4)
    assert set(rare) <= set(chosen)


def test_it_is_read_as_it_was_written_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    examples = [picture(source / "1.png", (30, 20), 1), picture(source / "2.jpg", (400, 300), 2)]
    examples[1] = replace(examples[1], label=None, labels=("bee", "蜂"))
    gallery = build(examples, source)
    write_gallery(gallery, tmp_path / "a/gallery.parquet")
    write_gallery(build(examples, source), tmp_path / "b/gallery.parquet")
    assert (tmp_path / "a/gallery.parquet").read_bytes() == (tmp_path / "b/gallery.parquet").read_bytes()
    again = read_gallery(tmp_path / "a/gallery.parquet")
    assert torch.equal(again.features, gallery.features) and again.dim == 2
    assert replace(again, features=gallery.features).__dict__ == gallery.__dict__
    assert again.labels == (("ant",), ("bee", "蜂"))


def test_thumbnails_are_small_and_tiny_pictures_stay_as_they_are(tmp_path: Path) -> None:
    gallery = build([picture(tmp_path / "1.png", (8, 8)), picture(tmp_path / "2.jpg", (2000, 1000))], tmp_path)
    tiny, large = (Image.open(io.BytesIO(one)) for one in (preview.content for preview in gallery.previews))
    assert tiny.size == (8, 8) and gallery.previews[0].media_type == "image/png"
    assert np.array_equal(np.asarray(tiny), np.asarray(Image.open(tmp_path / "1.png")))
    assert large.size == (SMALL_SIDE, SMALL_SIDE // 2) and gallery.previews[1].media_type == "image/jpeg"
    assert len(gallery.previews[1].content) < 10_000


def test_what_is_gone_or_has_changed_is_left_out(tmp_path: Path) -> None:
    examples = [picture(tmp_path / f"{number}.png", (9, 9), number) for number in range(3)]
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").write_bytes(b"another")
    assert build(examples, tmp_path).paths == ("2.png",)
    (tmp_path / "2.png").unlink()
    empty = build(examples, tmp_path)
    write_gallery(empty, tmp_path / "gallery.parquet")
    assert len(read_gallery(tmp_path / "gallery.parquet")) == len(empty) == 0


def test_the_nearest_are_those_of_largest_cosine_after_standardisation() -> None:
    features = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 1, 1, 1, 1, 100.0])
    gallery = Gallery("f", "x", (b"",) * 50, ("",) * 50, ((),) * 50, features, (Preview("image/png", b""),) * 50)
    standardisation = fit_standardisation(features)
    found = Nearness.of(gallery, standardisation).nearest(features[7], 5)
    assert found[0][0] == 7 and found[0][1] == pytest.approx(1, abs=1e-5)
    standard = standardisation.apply(features)
    cosines = torch.nn.functional.cosine_similarity(standard, standard[7:8])
    assert [row for row, _ in found] == cosines.topk(5).indices.tolist()
    assert len(Nearness.of(gallery, standardisation).nearest(features[7], 500)) == 50


@pytest.mark.parametrize("damage", ["gone", "torn", "another"])
def test_a_file_that_is_none_says_which_stage_makes_it(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "gallery.parquet"
    if damage == "torn":
        write_gallery(build([picture(tmp_path / "1.png", (9, 9))], tmp_path), path)
        path.write_bytes(path.read_bytes()[:-20])
    if damage == "another":
        pq.write_table(pa.table({"digest": [b"x"]}), path)
    with pytest.raises(BadArtifact, match="thaw run --stage evaluate"):
        read_gallery(path)
