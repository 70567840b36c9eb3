"""Examples that differ in length: a feature depends on the example alone, not on its neighbours, their order, or the size of batches."""

from pathlib import Path

import pytest
import torch
from series_source import write_backbone, write_series

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places, references_of
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadParameters, BadSource
from thaw.kinds.batches import Batch, examples_in, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader, read_examples
from thaw.kinds.registry import kind_named
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

pytestmark = pytest.mark.usefixtures("series")
LAYERS = ("first", "auto")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_series(tmp_path / "series", 9)


@pytest.fixture
def backbone(tmp_path: Path) -> Backbone:
    return read_backbone(BackboneParams(weights=str(write_backbone(tmp_path / "series.safetensors")), layers=LAYERS))


def manifest_of(source: Path, kind: str = "series") -> Manifest:
    return ingest(Places(source), DatasetParams(source=str(source)), kind_named(kind)).manifest


def alone(backbone: Backbone, source: Path, manifest: Manifest) -> dict[str, torch.Tensor]:
    """The features of each example in a batch of its own, in the manifest's order."""
    reader = open_reader(backbone.preprocessing, Limits())
    rows = [
        backbone.features(stacked([reader.prepare((source / one.path).read_bytes())])) for one in manifest.examples()
    ]
    return {layer: torch.cat([row[layer] for row in rows]) for layer in backbone.layers}


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (4, 2), (64, 1)])
def test_features_are_those_of_each_example_alone(
    source: Path, backbone: Backbone, tmp_path: Path, batch_size: int, workers: int
) -> None:
    manifest, store = manifest_of(source), FeatureStore(tmp_path / "features")
    params = ExtractParams(batch_size=batch_size, workers=workers)
    index = extract(manifest, Places(source), backbone, store, params, limits=Limits()).index
    expected = alone(backbone, source, manifest)
    for layer in index.layers:
        found = store.read(layer.fingerprint, layer.name, manifest.digests)
        assert torch.allclose(found, expected[layer.name], rtol=1e-5, atol=1e-6)


def test_a_second_run_computes_what_is_new_alone(
    source: Path, backbone: Backbone, tmp_path: Path, passes: list[int]
) -> None:
    store = FeatureStore(tmp_path / "features")
    manifest = manifest_of(source)
    assert extract(manifest, Places(source), backbone, store, ExtractParams(), limits=Limits()).computed == 27
    passes.clear()
    write_series(source, 1, seed=1)
    more = extract(manifest_of(source), Places(source), backbone, store, ExtractParams(), limits=Limits())
    assert (more.computed, more.cached) == (3, 27)


def test_all_examples_are_padded_to_the_longest_and_the_mask_says_where(source: Path, backbone: Backbone) -> None:
    examples = list(manifest_of(source).examples())
    batch: Batch = read_examples(references_of(examples, Places(source)), backbone.preprocessing, Limits())
    assert not isinstance(batch, torch.Tensor)
    lengths = [one.shape[0] for one in examples]
    assert batch["values"].shape == (27, max(lengths)) and batch["mask"].sum(1).tolist() == lengths
    reader = open_reader(backbone.preprocessing, Limits())
    for row, one, length in zip(examples_in(batch), examples, lengths, strict=True):
        assert not isinstance(row, torch.Tensor)
        prepared = reader.prepare((source / one.path).read_bytes())
        assert not isinstance(prepared, torch.Tensor)
        assert torch.equal(row["values"][:length], prepared["values"])


def test_a_source_of_another_kind_is_refused_before_any_compute(
    source: Path, backbone: Backbone, picture_folder: Path, tmp_path: Path, passes: list[int]
) -> None:
    with pytest.raises(
        BadSource, match=r"holds images, and the backbone takes series; set backbone\.weights to a backbone that"
    ):
        manifest_of(picture_folder)
    with pytest.raises(BadSource, match="holds series, and the backbone takes images"):
        manifest_of(source, "images")
    images = manifest_of(picture_folder, "images")
    with pytest.raises(BadParameters, match=r"series_net takes series, and the data set holds images; name a backbone"):
        extract(
            images,
            Places(picture_folder),
            backbone,
            FeatureStore(tmp_path / "features"),
            ExtractParams(),
            limits=Limits(),
        )
    assert passes == []
