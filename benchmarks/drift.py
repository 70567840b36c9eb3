"""Claims of `thaw watch`: batches that are like the reference raise no more alarms than stated, and shifted ones are found.

    python benchmarks/drift.py [--quick]

scikit-learn's digits through the embedded backbone: a head that may say `neither` learns 0 to 6 from 20 images each; each draw takes a reference and
a batch from the other images anew. Shifted batches: blurred, noisy, darkened, of the digits 7 to 9, and with one in five of those. Where the environment
variable THAW_REAL_DATA names a folder with `hymenoptera/` and `mobilenet_v2-imagenet.pth`: ants and bees through MobileNetV2, digits as other classes.
`ours` is the share of batches with an alarm, all tests of `thaw.drift.measuring.find_drift` together; `reference` that of Kolmogorov-Smirnov tests of each
feature with Bonferroni's correction at the same rate of false alarms (scipy), as drift monitors do it (Rabanser et al., "Failing Loudly", NeurIPS 2019), on
the same draws. `--quick`: digits alone, fewer draws.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest, ks_2samp
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.drift.measuring import find_drift
from thaw.drift.observed import Observed, observe
from thaw.drift.reference import Reference
from thaw.features.store.store import Layer
from thaw.heads import FittedHead, fit_head
from thaw.heads.open_set import Openness
from thaw.heads.open_set.fitting import fit_openness
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.kind import KIND
from thaw.models.prediction.answer import answer
from thaw.params.sections import BackboneParams, DatasetParams, HeadParams, OpennessParams, WatchParams
from thaw.targets.labelled import LabelledFeatures

STATED = 0.01
PARAMS = WatchParams(false_alarms=STATED, permutations=1000)
HEAD = HeadParams(l2=(1e-3, 1e-2, 1e-1))
MOST_PIXELS = 10**8


@dataclass(frozen=True, eq=False)
class Images:
    """pixels: uint8 [N, 3, H, W], as the backbone takes them; targets: int64 [N]."""

    pixels: Tensor
    targets: Tensor
    class_names: tuple[str, ...]

    def rows(self, index: Tensor) -> "Images":
        return Images(self.pixels[index], self.targets[index], self.class_names)


@dataclass(frozen=True, eq=False)
class Field:
    """A model, and what it says of images: calm ones, that are like those it learnt from; and shifted ones, by the kind of shift: the calm ones, row for row,
    with something done to them, or others."""

    name: str
    class_names: tuple[str, ...]
    calm: Observed
    shifted: Mapping[str, Observed]
    reference_rows: int


def main() -> None:
    """Measure and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="digits alone, fewer draws")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "digits"
        write_builtin(source)
        embedded = read_backbone(BackboneParams())
        digits = read_images(source, embedded)
        known = digits.rows(digits.targets < 7)
        known = Images(known.pixels, known.targets, digits.class_names[:7])
        others = digits.rows(digits.targets >= 7)
        report(
            build_field("digits", known, others, embedded, labels=20, reference_rows=400),
            sizes=(100,) if quick else (30, 100),
            calm=100 if quick else 1000,
            shifted=10 if quick else 100,
        )
        if (real := os.environ.get("THAW_REAL_DATA")) and not quick:
            backbone = read_backbone(BackboneParams(weights=f"{real}/mobilenet_v2-imagenet.pth"))
            photographs = read_images(Path(real) / "hymenoptera", backbone)
            others = read_images(source, backbone, every=9)
            field = build_field("ants and bees", photographs, others, backbone, labels=50, reference_rows=150)
            report(field, sizes=(30, 60), calm=500, shifted=50)
    time_largest()


def read_images(source: Path, backbone: Backbone, *, every: int = 1) -> Images:
    """Every `every`-th labelled image of a source."""
    manifest = ingest(Places(source), DatasetParams(source=str(source)), KIND).manifest
    rows = [row for row in manifest.examples() if row.label is not None][::every]
    pixels = [decode_pixels((source / row.path).read_bytes(), backbone.preprocessing, MOST_PIXELS) for row in rows]
    names = manifest.class_names
    return Images(torch.stack(pixels), torch.tensor([names.index(str(row.label)) for row in rows]), names)


def build_field(
    name: str, known: Images, others: Images, backbone: Backbone, *, labels: int, reference_rows: int
) -> Field:
    """A model on `labels` images of each class; all others are what it is watched on."""
    order = torch.randperm(len(known.targets), generator=torch.Generator().manual_seed(0))
    rows = known.rows(order)
    learnt = torch.zeros(len(order), dtype=torch.bool)
    for label in range(len(known.class_names)):
        learnt[(rows.targets == label).nonzero()[:labels, 0]] = True
    train, rest = rows.rows(learnt), rows.rows(~learnt)
    features = LabelledFeatures(features_of(train.pixels, backbone), train.targets, known.class_names)
    head = fit_head(features, None, HEAD)
    openness = fit_openness(
        head, features, None, params=OpennessParams(score="neighbours", false_accepts=0.1), head_params=HEAD
    )
    calm, away = (_ask(head, openness, features_of(pixels, backbone)) for pixels in (rest.pixels, others.pixels))
    shifted = {kind: _ask(head, openness, features_of(shift(rest.pixels), backbone)) for kind, shift in SHIFTS.items()}
    return Field(name, known.class_names, calm, {**shifted, "other classes": away}, reference_rows)


def _blur(pixels: Tensor) -> Tensor:
    side = pixels.shape[-1]
    return gaussian_blur(pixels, [side // 8 * 2 + 1] * 2, [side / 28] * 2)


def _noise(pixels: Tensor) -> Tensor:
    noise = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(1))
    return (pixels + 25 * noise).clamp(0, 255).to(torch.uint8)


def _dark(pixels: Tensor) -> Tensor:
    return (pixels * 0.6).to(torch.uint8)


SHIFTS: Mapping[str, Callable[[Tensor], Tensor]] = {"blurred": _blur, "noisy": _noise, "darkened": _dark}


def features_of(pixels: Tensor, backbone: Backbone) -> Tensor:
    """Of the last cut layer: float32 [N, D]."""
    return torch.cat([backbone.features(batch)[backbone.layers[-1]].clone() for batch in pixels.split(64)])


def _ask(head: FittedHead, openness: Openness | None, features: Tensor) -> Observed:
    digests = [number.to_bytes(32, "big") for number in range(len(features))]
    return observe(digests, features, answer(head, openness, features))


def report(field: Field, *, sizes: tuple[int, ...], calm: int, shifted: int) -> None:
    """One line for batches that are calm, and one for each kind of shift."""
    for size in sizes:
        where = f"{field.name}, batches of {size} against {field.reference_rows}"
        found = np.array([draw(field, None, size, seed) for seed in range(calm)])
        alarms = [binomtest(int(one.sum()), calm).proportion_ci(method="exact") for one in found.T]
        claim(
            f"share of {calm} batches like the reference with an alarm, {STATED:.0%} stated, {where}", found, STATED,
            low=alarms[0].low, high=alarms[0].high, reference_low=alarms[1].low, reference_high=alarms[1].high,
        )  # fmt: skip
        for kind in (*field.shifted, "one in five of other classes"):
            found = np.array([draw(field, kind, size, seed) for seed in range(shifted)])
            claim(f"share of {shifted} batches that are found: {kind}, {where}", found, None)


def draw(field: Field, kind: str | None, size: int, seed: int) -> tuple[bool, bool]:
    """Whether one batch raises an alarm: by ours, by the reference's way."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(field.calm))
    picked = np.zeros((2, len(order)), np.bool_)
    picked[0, order[: field.reference_rows]] = True
    picked[1, order[field.reference_rows : field.reference_rows + size]] = True
    known = field.calm.rows(picked[0])
    new = _batch(field, kind, picked[1], random)
    reference = Reference(
        Layer("", "", known.features.shape[1]), field.class_names, known, np.ones(len(known), np.bool_)
    )
    ours = any(one.drifted for one in find_drift(reference, new, PARAMS.model_copy(update={"seed": seed})))
    p_values = ks_2samp(known.features, new.features, axis=0).pvalue
    return ours, bool(p_values.min() <= STATED / len(p_values))


def _batch(field: Field, kind: str | None, picked: "np.ndarray", random: np.random.Generator) -> Observed:
    if kind is None:
        return field.calm.rows(picked)
    if kind in SHIFTS:
        return field.shifted[kind].rows(picked)
    others = field.shifted["other classes"]
    size = int(picked.sum())
    wanted = size if kind == "other classes" else size // 5
    chosen = np.zeros(len(others), np.bool_)
    chosen[random.permutation(len(others))[:wanted]] = True
    calm = np.flatnonzero(picked)[wanted:]
    return _joined(others.rows(chosen), field.calm.rows(np.isin(np.arange(len(field.calm)), calm)))


def _joined(one: Observed, other: Observed) -> Observed:
    def both(name: str) -> "np.ndarray":
        return np.concatenate([getattr(one, name), getattr(other, name)])

    columns = (both(name) for name in ("features", "named", "confidences", "accepted", "known_scores"))
    return Observed((*one.digests, *other.digests), *columns)


def time_largest() -> None:
    """How long the largest comparison takes, all tests; the other way on the same features."""
    random = np.random.default_rng(0)

    def rows() -> Observed:
        features = np.maximum(random.normal(size=(2000, 1280)), 0).astype(np.float32)
        probabilities = random.dirichlet(np.ones(10), 2000).astype(np.float32)
        named = np.eye(10, dtype=bool)[probabilities.argmax(1)]
        digests = tuple(random.bytes(32) for _ in range(2000))
        return Observed(digests, features, named, probabilities.max(1), random.random(2000) < 0.9, probabilities.max(1))

    known, new = rows(), rows()
    reference = Reference(Layer("", "", 1280), tuple("0123456789"), known, np.ones(2000, np.bool_))
    times = []
    for run in (
        lambda: find_drift(reference, new, WatchParams()),
        lambda: ks_2samp(known.features, new.features, axis=0),
    ):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    text = "seconds for 2000 new images against 2000 held-out ones of 1280 features, 2000 regroupings"
    print(
        json.dumps({"claim": text, "ours": times[0], "reference": times[1], "ratio": times[0] / times[1], "goal": None})
    )


def claim(text: str, found: "np.ndarray", goal: float | None, **more: float) -> None:
    """One line of the result. found: bool [draws, 2], ours and the reference's."""
    ours, reference = (float(share) for share in found.mean(0))
    ratio = ours / reference if reference else None
    print(
        json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal, **more}),
        flush=True,
    )


if __name__ == "__main__":
    main()
