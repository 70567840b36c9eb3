"""The decoding that a set needs reaches every door: the stages, the model, its export, pages and rankings."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from registration import PARAMS, inside
from stage_runs import run_stage

from tasks.project.local_state import NETWORKS
from tasks.project.paths import FEATURES
from tasks.registry.local_model import read_assembled
from tasks.registry.pyfunc_model import prepared
from tasks.requests import review
from tasks.stages import advise, compare, extract, finetune, head, ingest
from tasks.stages.evaluate import stage as evaluate
from thaw.backbones.architectures import build_seeded
from thaw.backbones.weights import write_weights
from thaw.dataset.manifest import read_manifest
from thaw.features.store.store import FeatureStore, read_index
from thaw.foundation.parallel.progress import untold
from thaw.kinds.batches import tensor_of
from thaw.kinds.kind import Limits
from thaw.models.exporting.card import _stated
from thaw.models.gallery import read_gallery
from thaw.models.prediction.predictor import Predictor
from thaw.params.values.reading import read_params
from thaw.strategies import named_backbones
from thaw.strategies.named_backbones import Desk
from thaw.strategies.rank_budget import Budget

LIMITS = Limits()
TOP = 4095


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Greys of 12 bits in files of 16, of two classes, through all stages."""
    root, noise = tmp_path_factory.mktemp("deep"), np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 6)):
        for name, grey in (("dark", 1000), ("light", 3000)):
            for number in range(count):
                values = np.clip(noise.normal(grey, 600, (16, 16)), 0, TOP).astype(np.uint16)
                values[0, 0] = TOP - number
                path = root / "photos" / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values).save(path)
    Image.fromarray(values).save(root / "photos/train/unlabelled.png")
    network = build_seeded("thaw_small", 10, 0).state_dict()
    write_weights(root / "small.safetensors", network, {"architecture": "thaw_small"})
    (root / "params.yaml").write_text(PARAMS)
    with inside(root):
        for stage in (ingest, extract, advise, head, finetune, compare, evaluate):
            run_stage(stage)
    return root


@pytest.fixture
def here(project: Path) -> Iterator[Path]:
    with inside(project):
        yield project


def test_the_manifest_states_it_and_the_report_says_so(here: Path) -> None:
    assert read_manifest(Path("data/manifest.parquet")).decoding == '{"span": null, "top": 4095}'
    notes = json.loads(Path("data/ingest/report.json").read_text())["notes"]
    assert any("hold 12 bits in this set: they are read from 0 to 4,095" in note for note in notes)


def test_the_model_reads_a_new_file_as_its_set_was_read(here: Path, tmp_path: Path) -> None:
    model = read_assembled(read_params())
    model.write(tmp_path / "model")
    registered = Predictor.read(tmp_path / "model")
    layer = read_index(Path("data/features.json")).layer(None)
    assert layer.fingerprint == registered.backbone.fingerprint("float32", "float32")
    path = Path("photos/test/light/0.png")
    pixels = tensor_of(registered.prepare(path.read_bytes(), LIMITS))
    assert torch.equal(pixels, tensor_of(prepared(path, 0, registered)))  # as MLflow's model does
    eight = np.rint(np.asarray(Image.open(path)).astype(float) * 255 / TOP).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(eight).save(buffer, "PNG")
    assert torch.equal(pixels, tensor_of(registered.prepare(buffer.getvalue(), LIMITS)))


def test_the_recipe_of_an_export_reads_it_too(here: Path) -> None:
    model = read_assembled(read_params())
    card = {"preprocessing": _stated(model.backbone.preprocessing), "input": {"name": "pixels"}}
    names = {"np": np, "Image": Image, "ImageOps": ImageOps, "card": card}
    exec(model.backbone.kind.recipe(model.backbone.preprocessing).code, names)  # noqa: S102  # the README has it for people to run
    path = Path("photos/test/light/0.png")
    own = names["batch_of"]([path])["pixels"][0]  # type: ignore[operator]
    assert np.abs(own.astype(int) - tensor_of(model.prepare(path.read_bytes(), LIMITS)).numpy()).max() <= 1


def brightest(content: bytes) -> int:
    return int(np.asarray(Image.open(io.BytesIO(content)).convert("L")).max())


def test_pages_show_it_as_the_model_sees_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = read_gallery(Path("data/report/gallery.parquet"))
    assert min(brightest(preview.content) for preview in gallery.previews) > 60
    shown: list[int] = []

    def render(*given: object, **more: object) -> str:
        shown.extend(brightest(preview.content) for preview in given[3].values())  # type: ignore[attr-defined]
        return ""

    monkeypatch.setattr(review, "render_page", render)
    review.review(20)
    assert shown
    assert min(shown) > 60


def test_a_ranking_reads_it_too(here: Path) -> None:
    desk = Desk(FeatureStore(FEATURES), NETWORKS, Path)
    field = named_backbones._field(read_params(), read_manifest(Path("data/manifest.parquet")))
    entrant = named_backbones._enter("small.safetensors", field, read_params(), desk, Budget(None), untold)
    assert entrant.computed == 0  # the features of the chosen backbone lie in the store
