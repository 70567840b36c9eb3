"""An actor makes the same parts of texts as one machine. Ray itself is left out, so that the test is cheap."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from small_encoder import texts, write_encoder

from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines.reference import deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import extract
from thaw.features.extraction.ray.part_maker import Job, PartMaker, portable, row_of
from thaw.features.extraction.worker import ExtractionTask
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams


def write_source(folder: Path, form: str) -> Path:
    """30 texts in Latin-1: a table whose rows are called by their numbers or by names, or files in a folder for each class."""
    rows = [(f"n{number}", f"caf\u00e9 {text}", label) for number, (text, label) in enumerate(texts(30))]
    if form == "files":
        for name, text, label in rows:
            (folder / "classes" / label).mkdir(parents=True, exist_ok=True)
            (folder / "classes" / label / f"{name}.txt").write_text(text, encoding="latin-1")
        return folder / "classes"
    lines = [("id" if form == "names" else "column", "text", "label"), *rows]
    (folder / "reviews.csv").write_text("".join(f"{','.join(line)}\n" for line in lines), encoding="latin-1")
    return folder / "reviews.csv"


@pytest.mark.parametrize("form", ["numbers", "names", "files"])
def test_texts_in_another_encoding(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda reference: reference))
    source = write_source(tmp_path, form)
    places = Places(source, "latin-1")
    params = ExtractParams(precision="float32", part_rows=8)
    manifest = ingest(places, DatasetParams(source=str(source), encoding="latin-1"), KIND).manifest
    backbone = read_backbone(BackboneParams(weights=str(write_encoder(tmp_path / "tiny.safetensors"))))
    alone, made = FeatureStore(tmp_path / "alone"), FeatureStore(tmp_path / "made")
    (layer,) = extract(manifest, places, backbone, alone, params, limits=Limits()).index.layers

    url = str(tmp_path / "parts")
    references = [
        (digest, places.at(path))
        for digest, path in zip(manifest.digests, manifest.table["path"].to_pylist(), strict=True)
    ]
    parts = [ExtractionTask((layer,), tuple(references[start : start + 8])) for start in range(0, len(references), 8)]
    maker = PartMaker([Job(portable(backbone), params, "float32", Limits(), url, len(references))])
    outcomes = maker(pa.Table.from_pylist([row_of(number, part) for number, part in enumerate(parts)])).to_pylist()
    assert [outcome["error"] for outcome in outcomes] == [None] * len(parts), outcomes
    Mirror(url).pull(made, layer)
    found = [store.read(layer.fingerprint, layer.name, manifest.digests) for store in (made, alone)]
    assert len(manifest.digests) == 30 and TOLERANCES["float32"].allows(deviation(*found))
