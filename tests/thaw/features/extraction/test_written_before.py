"""Fingerprints of older code: the same backbone and preprocessing have the same one today, so features are not computed anew."""

import csv
from dataclasses import replace
from functools import cache, partial
from itertools import groupby
from pathlib import Path

import pytest
from written_before import FOLDER, plain_weights

from thaw.backbones.architectures import default_preprocessing
from thaw.backbones.backbone import cut
from thaw.backbones.weights import Weights
from thaw.features.extraction.extraction import cut_layers

LAYERS = {"thaw_small": ("blocks",), "resnet18": ("layer2", "auto")}
with (FOLDER / "fingerprints.csv").open(newline="", encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))


@pytest.mark.parametrize("architecture", sorted({row["architecture"] for row in ROWS}))
def test_fingerprints_are_the_same(architecture: str) -> None:
    rows = [row for row in ROWS if row["architecture"] == architecture]
    weights = Weights(plain_weights(architecture, int(rows[0]["classes"])), {})
    layers, plain = LAYERS.get(architecture, ("auto",)), default_preprocessing(architecture, Path("x.pth"))
    rows.sort(key=lambda row: (row["pooling"], row["decoding"]))
    for (pooling, decoding), group in groupby(rows, key=lambda row: (row["pooling"], row["decoding"])):
        backbone = cut(architecture, weights, layers, replace(plain, decoding=decoding), pooling)
        layers_of = cache(partial(cut_layers, backbone, views=("identity", "hflip", "five_crop")))
        for row in group:
            found = layers_of(row["precision"], row["dtype"])
            known = {(layer.fingerprint, layer.name, layer.dim, layer.view) for layer in found}
            assert (row["fingerprint"], row["name"], int(row["dim"]), row["view"]) in known, row
