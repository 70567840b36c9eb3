"""Claim: from image files to a chosen head at least 20 times as fast as the usual loop, at no lower accuracy.

    THAW_REAL_DATA=FOLDER python benchmarks/transfer_vs_tutorial.py [--quick]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}` and `mobilenet_v2-imagenet.pth`. Both sides take the same files, the same
MobileNetV2 and float32; imports, building the network and reading its weights are counted in neither.

Ours: ingest (hash and decode every file), extract, and a head chosen by cross-validation over the L2 strengths of params.yaml.
The usual loop, after PyTorch's transfer-learning tutorial: PIL transforms, a DataLoader with a worker a core, the frozen backbone
forward in each of 25 epochs over train and val, SGD with momentum on the last layer, the last epoch's model (the
best epoch on the very images that are reported is printed too: a choice that ours, which never sees a val label, does not have). It gets
batches of 32 and the backbone in eval mode under no_grad, all faster than the tutorial's own.
`--quick` runs 2 of the 25 epochs and multiplies, and leaves the accuracy claim out.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.models import mobilenet_v2

from thaw.backbones.backbone import read_backbone
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TEST
from thaw.dataset.places import Places
from thaw.dataset.selection import examples_of, training_examples
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.heads import fit_head
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

EPOCHS = 25
ROUNDS = 5


def main() -> None:
    """Run ours before, between and after the epochs of the loop; print both and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="2 epochs of the loop instead of 25, and two rounds of ours"
    )
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with hymenoptera/ and mobilenet_v2-imagenet.pth", file=sys.stderr)
        raise SystemExit(0)
    images, weights = Path(real) / "hymenoptera", Path(real) / "mobilenet_v2-imagenet.pth"
    ours = Cached(images, weights)
    loop = UsualLoop(images, weights)
    epochs, rounds = (2, 2) if quick else (EPOCHS, ROUNDS)
    seconds: list[float] = []
    epoch_seconds: list[float] = []
    for epoch in range(epochs):
        if epoch % max(epochs // rounds, 1) == 0 and len(seconds) < rounds:
            seconds.append(timed(ours.run))
        epoch_seconds.append(timed(loop.epoch))
    mine, theirs = statistics.median(seconds), statistics.median(epoch_seconds) * EPOCHS
    print(f"ours        {mine:8.2f} s   {ours.right} of {ours.count} val images right")
    print(
        f"usual loop  {theirs:8.2f} s   {loop.last_right} of {ours.count} val images right after {epochs} epochs, {loop.best} at best"
    )
    claim(
        "image files to a chosen head, hymenoptera, MobileNetV2, float32: seconds",
        mine,
        theirs,
        theirs / mine,
        20,
    )
    if not quick:
        claim("val images right, after the last epoch", ours.right, loop.last_right, ours.right / loop.last_right, 1)


class Cached:
    """Thaw's path: every image through the backbone once, the head on the cached features."""

    def __init__(self, images: Path, weights: Path) -> None:
        self.images = images
        self.backbone = read_backbone(BackboneParams(weights=str(weights)))
        self.right = self.count = 0

    def run(self) -> None:
        manifest = ingest(Places(self.images), DatasetParams(source=str(self.images)), KIND).manifest
        with tempfile.TemporaryDirectory() as folder:
            store = FeatureStore(Path(folder))
            index = extract(
                manifest, Places(self.images), self.backbone, store, ExtractParams(), limits=Limits(10**8)
            ).index
            train, test = training_examples(manifest, None), examples_of(manifest, TEST)
            names = tuple(sorted({example.label or "" for example in train}))
            layer = index.layer(None)
            features = [
                store.read(layer.fingerprint, layer.name, [row.digest for row in rows]) for rows in (train, test)
            ]
        targets = [torch.tensor([names.index(row.label or "") for row in rows]) for rows in (train, test)]
        head = fit_head(LabelledFeatures(features[0], targets[0], names), None, HeadParams())
        self.right = int((head.logits(features[1]).argmax(1) == targets[1]).sum())
        self.count = len(test)


class UsualLoop:
    """The tutorial's loop with the convolutional network as a fixed feature extractor."""

    def __init__(self, images: Path, weights: Path) -> None:
        model = mobilenet_v2()
        model.load_state_dict(torch.load(weights, weights_only=True))
        self.backbone = (
            nn.Sequential(model.features, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval().requires_grad_(False)
        )
        torch.manual_seed(0)
        self.last = nn.Linear(1280, 2)
        self.optimiser = torch.optim.SGD(self.last.parameters(), lr=0.008, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimiser, step_size=7, gamma=0.1)
        self.best = self.last_right = 0
        normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        augmented = [
            transforms.RandomResizedCrop(224),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            normalise,
        ]
        plain = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalise]
        self.train = self._loader(images / "train", augmented, shuffle=True)
        self.val = self._loader(images / "val", plain, shuffle=False)

    def _loader(self, folder: Path, steps: list[object], *, shuffle: bool) -> DataLoader[object]:
        dataset = ImageFolder(str(folder), transforms.Compose(steps))
        return DataLoader(
            dataset, batch_size=32, shuffle=shuffle, num_workers=os.cpu_count() or 1, persistent_workers=True
        )

    def epoch(self) -> None:
        for inputs, targets in self.train:
            with torch.no_grad():
                features = self.backbone(inputs)
            self.optimiser.zero_grad()
            nn.functional.cross_entropy(self.last(features), targets).backward()
            self.optimiser.step()
        self.schedule.step()
        with torch.no_grad():
            right = sum(int((self.last(self.backbone(x)).argmax(1) == y).sum()) for x, y in self.val)
        self.last_right, self.best = right, max(self.best, right)


def timed(work: object) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def claim(text: str, ours: float, reference: float, ratio: float, goal: float) -> None:
    print(json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal}))


if __name__ == "__main__":
    main()
