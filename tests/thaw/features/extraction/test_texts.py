"""The extraction of texts: each text costs one forward pass, whatever its table looks like later."""

from pathlib import Path

import pytest
import torch
from small_encoder import texts, write_encoder, write_table

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import Extraction, extract
from thaw.features.store.store import FeatureStore
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.texts.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

LAYERS = ("layers.0", "pooled")
SOME, NEW = texts(300), texts(10, first=300)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny.safetensors")
    return read_backbone(BackboneParams(weights=str(path), layers=LAYERS))


def run(table: Path, backbone: Backbone, store: FeatureStore) -> Extraction:
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    return extract(manifest, Places(table), backbone, store, ExtractParams(precision="float32"), limits=Limits())


def test_a_second_run_embeds_nothing_and_ten_new_texts_embed_ten(backbone: Backbone, tmp_path: Path) -> None:
    table, store = tmp_path / "reviews.csv", FeatureStore(tmp_path / "features")
    counts = []
    for rows in (
        SOME,
        SOME,
        list(reversed(SOME)),
        [*NEW, *SOME],
        [(text, "other" + label) for text, label in SOME[:40]],
    ):
        done = run(write_table(table, rows), backbone, store)
        counts.append((done.computed, done.cached))
    assert counts == [(300, 0), (0, 300), (0, 300), (10, 300), (0, 40)]


def test_features_are_those_of_each_text_alone(backbone: Backbone, tmp_path: Path) -> None:
    table, store = write_table(tmp_path / "reviews.csv", SOME), FeatureStore(tmp_path / "features")
    index = run(table, backbone, store).index
    reader = open_reader(backbone.preprocessing, Limits())
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    places = Places(table)
    alone = [
        backbone.features(KIND.collate([reader.prepare(places.at(path).read_bytes())]))
        for path in manifest.table["path"].to_pylist()
    ]
    for layer in index.layers:
        found = store.read(layer.fingerprint, layer.name, manifest.digests)
        assert torch.allclose(found, torch.cat([each[layer.name] for each in alone]), atol=1e-4)
