"""Claims about chest x-rays, by patient: frozen ImageNet features of MobileNetV2 with a linear head, against a linear head on their pixels.

    python benchmarks/radiology.py [--quick]

THAW_REAL_DATA must name a folder with `radiology/xray` (100 x-rays of 95 patients) and `mobilenet_v2-imagenet.pth`; without it nothing is measured.
First the pipeline runs from end to end in a folder of its own, on a split by patient, with the certificate and the report. Then both are judged on all
x-rays by cross-validation: 10 draws of 5 folds, the patients apart; settings are chosen on the training folds. `ratio` is the difference in points, the mean
over draws, with its paired 95 % interval over patients, who are drawn anew as a whole. `--quick`: 2 draws, and the pipeline to the features
alone.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from tasks.project.paths import CERTIFICATE, FEATURES_INDEX, MANIFEST, REPORT, SETTINGS
from tasks.stages import advise, compare, extract, finetune, head, ingest, settings
from tasks.stages.evaluate import stage as evaluate
from tasks.stages.labelled_features import read_labelled
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import Example, Manifest, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.evaluation.certificate.words import line, remarks, verdict
from thaw.features.store.store import read_index
from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    percentile_interval,
    resampled_groups,
)
from thaw.heads import fit_head
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.params.sections import HeadParams, Params
from thaw.params.values.reading import read_settings
from thaw.strategies.certificate.record import read_certificate
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.paired import headline_difference
from thaw.targets.ranking import areas

PARAMS = """\
dataset: {{source: "{xray}", listing: listing.csv, splits: {{val: 0.0, test: 0.3}}}}
backbone: {{weights: "{weights}"}}
compare: {{strategies: [linear], minutes: 0}}
evaluate: {{baselines: [majority, pixels]}}
"""
FOLDS = 5
RESAMPLING = Resampling(1000)
ILL = "pneumonia"


@dataclass(frozen=True, eq=False)
class Held:
    """What heads say of x-rays that they did not learn from: the probability of the illness, float32 [S, N], and whether each is right, bool [S, N, 1]."""

    ill: np.ndarray
    right: np.ndarray


def main() -> None:
    """Run the pipeline, measure, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 draws of the folds, and the features alone")
    quick = parser.parse_args().quick
    real = os.environ.get("THAW_REAL_DATA")
    if not real:
        print(
            "THAW_REAL_DATA names no folder with radiology/xray and mobilenet_v2-imagenet.pth, so nothing is measured"
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        here = Path(real).absolute()
        os.chdir(folder)
        text = PARAMS.format(xray=here / "radiology/xray", weights=here / "mobilenet_v2-imagenet.pth")
        Path("params.yaml").write_text(text)
        run([settings, ingest, extract])
        if not quick:
            run([advise, head, finetune, compare, evaluate])
            tell()
        claim(2 if quick else 10)
        os.chdir(here)


def run(stages: Sequence[ModuleType]) -> None:
    """The stages, one after the other, in this process."""
    for stage in stages:
        stage.main()


def tell() -> None:
    """What the pipeline says of its test split: the metrics with their intervals, and the certificate."""
    words = read_manifest(MANIFEST).settled_kind.words
    found = json.loads((REPORT / "metrics.json").read_text())
    print("test", json.dumps(found["test"]))
    print("transfer over pixels", json.dumps(found["transfer"]["pixels"]))
    certificate = read_certificate(CERTIFICATE)
    if certificate is not None:
        print(verdict(certificate, words))
        for sentence in (
            *(line(certificate, ruling, words) for ruling in certificate.rulings),
            *remarks(certificate, words),
        ):
            print("-", sentence)


def claim(draws: int) -> None:
    """Judge both on all x-rays, and print what each reaches with the difference."""
    params, manifest = read_settings(SETTINGS), read_manifest(MANIFEST)
    rows = [example for example in manifest.examples() if example.label is not None]
    features = labelled(manifest, rows)
    assert features.groups is not None
    pixels = LabelledFeatures(
        pixels_of(params, manifest, rows), features.targets, features.class_names, features.groups
    )
    ours, reference = (held_out(each, params.head, draws) for each in (features, pixels))
    groups, ill = features.groups.numpy(), features.targets.numpy() == features.class_names.index(ILL)
    accuracy = headline_difference(ONE_LABEL, ours.right, reference.right, RESAMPLING, groups)
    report("accuracy", (float(ours.right.mean()), float(reference.right.mean())), accuracy, len(np.unique(groups)))
    one = np.ones((1, len(rows)))
    means = (float(mean_auroc(ours, ill, one)[0]), float(mean_auroc(reference, ill, one)[0]))
    report("AUROC", means, auroc_difference(ours, reference, ill, groups), len(np.unique(groups)))


def report(measure: str, means: tuple[float, float], difference: Estimate, patients: int) -> None:
    """Print a claim: frozen features are not behind pixels."""
    ends = (difference.value, difference.low, difference.high)
    value, low, high = (100 * end for end in ends)
    found = {
        "claim": f"points of {measure} over pixels, x-rays of {patients} patients, cross-validated by patient",
        "ours": means[0],
        "reference": means[1],
        "ratio": value,
        "interval": [low, high],
        "goal": 0,
    }
    print(json.dumps(found))
    print(f"{measure}: the features are", "ahead" if low > 0 else "behind" if high < 0 else "not shown to be ahead")


def labelled(manifest: Manifest, rows: Sequence[Example]) -> LabelledFeatures:
    """The cached features of the last layer."""
    layer = read_index(FEATURES_INDEX).layers[-1]
    names = tuple(sorted({example.label for example in rows if example.label is not None}))
    return read_labelled(rows, names, (layer,), ONE_LABEL)


def pixels_of(params: Params, manifest: Manifest, rows: Sequence[Example]) -> Tensor:
    """The plain features, as the baseline `pixels` takes them."""
    backbone = read_backbone(params.backbone, manifest.decoding)
    preprocessing = backbone.kind.plain_preprocessing(backbone.preprocessing)
    batch = read_examples(references_of(rows, places_of(params.dataset)), preprocessing, params.dataset.limits)
    return plain_features(batch, preprocessing)


def held_out(rows: LabelledFeatures, params: HeadParams, draws: int) -> Held:
    """Linear heads on all folds but one say what is in that one, the patients apart, for each draw of the folds."""
    place = rows.class_names.index(ILL)
    ill, right = torch.zeros(draws, len(rows)), torch.zeros(draws, len(rows), 1, dtype=torch.bool)
    for draw in range(draws):
        folds = ONE_LABEL.folds(rows.targets, count=FOLDS, seed=draw, groups=rows.groups)
        for fold in range(FOLDS):
            held = folds == fold
            fitted = fit_head(rows.rows(~held), None, params)
            probabilities = fitted.probabilities(rows.features[held])
            ill[draw, held] = probabilities[:, place]
            right[draw, held, 0] = probabilities.argmax(1) == rows.targets[held]
    return Held(ill.numpy(), right.numpy())


def mean_auroc(held: Held, ill: np.ndarray, counts: FloatArray) -> FloatArray:
    """The mean over draws, float64 [R], where counts [R, N] says how often each row is drawn."""
    return np.asarray(np.mean([areas(column, ill, counts)[0] for column in held.ill], axis=0), np.float64)


def auroc_difference(ours: Held, reference: Held, ill: np.ndarray, groups: IntArray) -> Estimate:
    """The AUROC of ours minus that of the reference, with its paired percentile interval over patients."""

    def difference(counts: FloatArray) -> FloatArray:
        return mean_auroc(ours, ill, counts) - mean_auroc(reference, ill, counts)

    drawn = np.concatenate([difference(counts) for counts in resampled_groups(groups, RESAMPLING)])
    value = float(difference(np.ones((1, len(ill))))[0])
    return percentile_interval(value, drawn[np.isfinite(drawn)], RESAMPLING.confidence)


if __name__ == "__main__":
    main()
