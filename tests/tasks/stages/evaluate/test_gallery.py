"""The gallery that the stage `evaluate` makes: from cached features, or from those of a fine-tuned model."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from openness_rows import predictor_on_digits
from registration import inside
from serving_app import digit_files

from tasks.project.paths import FEATURES, REPORT
from tasks.stages.evaluate.gallery import make_gallery
from thaw.dataset.manifest import TRAIN, Example
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import IncompleteFeatures
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits
from thaw.models.gallery import FILE, read_gallery
from thaw.params.sections import Params
from thaw.params.values.reading import check_params

LAYER = Layer("flatten", "f" * 32, 3)


@pytest.fixture
def examples(tmp_path: Path) -> Iterator[list[Example]]:
    """Six training images on the disk, and their features in the cache."""
    with inside(tmp_path):
        rows = []
        for number, content in enumerate(digit_files(6)[::2]):
            path = tmp_path / "photos" / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            rows.append(Example(digest_bytes(content), path.name, "ab"[number % 2], TRAIN, None, (8, 8, 1), 1))
        cached = torch.arange(3.0 * len(rows)).reshape(-1, 3)
        FeatureStore(FEATURES).write(LAYER, [row.digest for row in rows], cached, {})
        yield rows


def params(most: int) -> Params:
    return check_params({"dataset": {"source": "photos"}, "evaluate": {"gallery": most}}, "test")


def test_features_come_from_the_cache(examples: list[Example]) -> None:
    make_gallery(params(100), examples, LAYER, KIND, report=REPORT)
    gallery = read_gallery(REPORT / FILE)
    assert gallery.digests == tuple(row.digest for row in examples) and gallery.fingerprint == LAYER.fingerprint
    assert torch.equal(gallery.features, torch.arange(3.0 * len(examples)).reshape(-1, 3))


def test_those_of_a_fine_tuned_model_are_computed(examples: list[Example]) -> None:
    tuned = predictor_on_digits()
    make_gallery(params(2), examples, LAYER, KIND, report=REPORT, tuned=tuned)
    gallery = read_gallery(REPORT / FILE)
    assert len(gallery) == 2 and {one[0] for one in gallery.labels} == {"a", "b"}
    pixels = [tuned.prepare((Path("photos") / path).read_bytes(), Limits(10**6)) for path in gallery.paths]
    expected = tuned.backbone.features(torch.stack(pixels))[tuned.layer]
    assert torch.allclose(gallery.features, expected, atol=1e-5)
    assert gallery.fingerprint == tuned.backbone.fingerprint("float32", "float32")


def test_none_is_wanted(examples: list[Example]) -> None:
    make_gallery(params(0), examples, LAYER, KIND, report=REPORT)
    assert not (REPORT / FILE).exists()


def test_an_image_that_is_gone_is_told_of_and_left_out(
    examples: list[Example], caplog: pytest.LogCaptureFixture
) -> None:
    (Path("photos") / examples[0].path).unlink()
    with caplog.at_level(logging.WARNING):
        make_gallery(params(100), examples, LAYER, KIND, report=REPORT)
    assert len(read_gallery(REPORT / FILE)) == len(examples) - 1
    assert f"1 of {len(examples)} training images are gone" in caplog.text


def test_missing_features_are_an_error(examples: list[Example]) -> None:
    with pytest.raises(IncompleteFeatures):
        make_gallery(params(100), examples, Layer("other", "f" * 32, 3), KIND, report=REPORT)
