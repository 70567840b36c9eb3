"""Extraction: each image once, nothing twice, nothing lost."""

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from noise_images import LIMITS, manifest_of, write_images
from PIL import Image

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines.torch_engine import TorchEngine
from thaw.backbones.weights import read_weights, write_weights
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import Extraction, extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadParameters, BadSource, BadWeights, StaleFeatures
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.params.sections import BackboneParams, ExtractParams

FIND_SUPPORT = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3] / 'support')!r})"
"""What a process of its own begins with."""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    write_weights(path, build_seeded("thaw_small", 10, 0).state_dict(), {"architecture": "thaw_small"})
    return path


@pytest.fixture
def backbone(weights: Path) -> Backbone:
    return read_backbone(BackboneParams(weights=str(weights)))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    write_images(tmp_path / "images", range(30))
    return tmp_path / "images"


def run(images: Path, backbone: Backbone, store: FeatureStore, **changes: int | str | tuple[str, ...]) -> Extraction:
    params = ExtractParams.model_validate({"batch_size": 4, "part_rows": 8, **changes})
    return extract(manifest_of(images), Places(images), backbone, store, params, limits=LIMITS)


def test_ten_more_images_cost_ten_forward_passes(
    images: Path, backbone: Backbone, tmp_path: Path, passes: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    store = FeatureStore(tmp_path / "features")
    assert run(images, backbone, store).computed == sum(passes) == 30
    write_images(images, range(30, 40))
    passes.clear()
    with caplog.at_level("INFO"):
        again = run(images, backbone, store)
    assert (again.computed, again.cached) == (10, 30)
    assert sum(passes) == 10
    assert "40 examples: 30 with features already, 10 forward passes to do" in caplog.text


def test_new_labels_and_moved_files_cost_no_forward_pass(
    images: Path, backbone: Backbone, tmp_path: Path, passes: list[int]
) -> None:
    store = FeatureStore(tmp_path / "features")
    first = run(images, backbone, store)
    passes.clear()
    for file in list(images.iterdir()):
        file.rename(file.with_name(f"moved {file.name}"))
    again = extract(manifest_of(images, "b"), Places(images), backbone, store, ExtractParams(), limits=LIMITS)
    assert (again.computed, passes, again.index) == (0, [], first.index)


def test_features_are_those_of_the_backbone_in_any_order_batch_and_part(
    images: Path, backbone: Backbone, tmp_path: Path
) -> None:
    manifest = manifest_of(images)
    pixels = torch.stack(
        [backbone.preprocessing.pixels(Image.open(images / row.path).convert("RGB")) for row in manifest.examples()]
    )
    expected = backbone.features(pixels)["flatten"]
    indexes = set()
    for batch, part, workers in ((4, 8, 1), (7, 100, 3), (64, 1, 2)):
        store = FeatureStore(tmp_path / f"features-{batch}")
        found = run(images, backbone, store, batch_size=batch, part_rows=part, workers=workers)
        indexes.add(found.index)
        layer = found.index.layer(None)
        assert torch.allclose(store.read(layer.fingerprint, layer.name, manifest.digests), expected, atol=1e-5)
    assert len(indexes) == 1, "the index is canonical"


def test_one_more_layer_computes_that_layer_and_keeps_the_others_parts(
    images: Path, weights: Path, tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path / "features")
    run(images, read_backbone(BackboneParams(weights=str(weights))), store)
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")}
    both = run(images, read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "auto"))), store)
    assert [layer.name for layer in both.index.layers] == ["layer1", "flatten"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len({path.parent.name for path in store.root.rglob("*.parquet")}) == 2


def test_duplicates_cost_one_pass(images: Path, backbone: Backbone, tmp_path: Path) -> None:
    shutil.copy(images / "00000.png", images / "copy.png")
    found = run(images, backbone, FeatureStore(tmp_path / "features"))
    assert (found.computed, found.index.rows) == (30, 30)


def test_a_damaged_part_is_computed_again_and_nothing_else(images: Path, backbone: Backbone, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "features")
    run(images, backbone, store)
    part = sorted(store.root.rglob("part-*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:-20])
    assert run(images, backbone, store).computed in (6, 8)
    assert run(images, backbone, store).computed == 0


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_an_image_that_is_not_the_ingested_one_stops_it(
    harm: str, images: Path, backbone: Backbone, tmp_path: Path
) -> None:
    manifest = manifest_of(images)
    victim = images / "00020.png"
    victim.unlink() if harm == "removed" else victim.write_bytes((images / "00001.png").read_bytes())
    store = FeatureStore(tmp_path / "features")
    with pytest.raises(BadSource, match=r"00020\.png"):
        extract(manifest, Places(images), backbone, store, ExtractParams(batch_size=4, part_rows=8), limits=LIMITS)
    layer = next(path.parent for path in store.root.rglob("part-*.parquet"))
    assert len(store.digests(layer.parent.name, layer.name)) >= 8, "what was computed before is kept"


def test_weights_that_move_are_noticed(
    images: Path, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = TorchEngine._forward

    def nudge(engine: TorchEngine, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        engine.backbone.model.get_parameter("conv1.weight").data.add_(1e-3)
        return forward(engine, pixels)

    monkeypatch.setattr(TorchEngine, "_forward", nudge)
    with pytest.raises(BadWeights, match="changed while it ran"):
        run(images, backbone, FeatureStore(tmp_path / "features"))


EXTRACT = f"""{FIND_SUPPORT}
from pathlib import Path
from noise_images import LIMITS, manifest_of
from thaw.backbones.backbone import read_backbone
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.params.sections import BackboneParams, ExtractParams
from thaw.dataset.places import Places
images = Path(sys.argv[1])
found = extract(manifest_of(images), Places(images), read_backbone(BackboneParams(weights=sys.argv[2])), FeatureStore(Path(sys.argv[3])),
                ExtractParams(batch_size=8, part_rows=16), limits=LIMITS)
print("computed", found.computed)
"""


def test_killed_and_run_again_nothing_is_lost_and_nothing_computed_twice(
    weights: Path, tmp_path: Path, warm: Path
) -> None:
    images, root = tmp_path / "many", tmp_path / "features"
    write_images(images, range(1200))
    command = [str(warm / "forked"), "-c", EXTRACT, str(images), str(weights), str(root)]
    first = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE)
    while len(list(root.rglob("part-*.parquet"))) < 3:
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    first.kill()
    first.communicate()  # it holds the pipe for as long as it lives
    backbone = read_backbone(BackboneParams(weights=str(weights)))
    store, kept = FeatureStore(root), len(list(root.rglob("part-*.parquet"))) * 16
    again = run(images, backbone, store, batch_size=8, part_rows=16)
    assert (again.cached, again.computed) == (kept, 1200 - kept)
    assert 0 < again.computed < 1200


def test_two_at_once_end_with_the_same_features(weights: Path, images: Path, tmp_path: Path, warm: Path) -> None:
    root = tmp_path / "features"
    command = [str(warm / "forked"), "-c", EXTRACT, str(images), str(weights), str(root)]
    both = [subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert run(images, read_backbone(BackboneParams(weights=str(weights))), FeatureStore(root)).computed == 0


def test_a_small_bound_on_memory_changes_no_number(images: Path, backbone: Backbone, tmp_path: Path) -> None:
    wide, narrow = FeatureStore(tmp_path / "wide"), FeatureStore(tmp_path / "narrow")
    layer = run(images, backbone, wide, batch_size=64).index.layer(None)
    digests = manifest_of(images).digests
    assert run(images, backbone, narrow, batch_size=64, decoded_mb=1, workers=4).index.layer(None) == layer
    found = [store.read(layer.fingerprint, layer.name, digests) for store in (wide, narrow)]
    assert torch.equal(*found)


def test_precision_auto_stays_with_what_the_cache_has(
    images: Path, backbone: Backbone, tmp_path: Path, passes: list[int]
) -> None:
    for precision in ("float32", "bfloat16"):
        store = FeatureStore(tmp_path / precision)
        first = run(images, backbone, store, precision=precision)
        passes.clear()
        again = run(images, backbone, store, precision="auto")
        assert (again.computed, again.index, passes) == (0, first.index, [])


def cropped(weights: Path, tmp_path: Path, layers: tuple[str, ...]) -> Backbone:
    """The small backbone with a preprocessing that crops."""
    tensors, stated = read_weights(weights).tensors, Preprocessing(36, 32, "bilinear", (0.5,) * 3, (0.2,) * 3)
    path = tmp_path / "cropped.safetensors"
    write_weights(path, tensors, {"architecture": "thaw_small", "preprocessing": stated.to_json()})
    return read_backbone(BackboneParams(weights=str(path), layers=layers))


def parts(store: FeatureStore) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in store.root.rglob("part-*.parquet")}


def test_one_more_layer_costs_its_own_part_of_the_network_alone(
    images: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, deep = FeatureStore(tmp_path / "features"), cropped(weights, tmp_path, ("layer3", "auto"))
    run(images, deep, store)
    before, seen = parts(store), []
    forward = TorchEngine._forward

    def watched(engine: TorchEngine, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append((len(pixels), {name.split(".")[0] for name, _ in engine.network.named_modules() if name}))
        return forward(engine, pixels)

    monkeypatch.setattr(TorchEngine, "_forward", watched)
    found = run(images, cropped(weights, tmp_path, ("layer1", "layer3", "auto")), store)
    assert found.computed == sum(count for count, _ in seen) == 30
    assert all("layer1" in blocks and not {"layer2", "layer3"} & blocks for _, blocks in seen)
    assert {path: time for path, time in parts(store).items() if path in before} == before
    assert {path.parent.name for path in parts(store).keys() - before.keys()} == {"layer1"}
    assert [layer.name for layer in found.index.layers] == ["layer1", "layer3", "flatten"]


def test_views_are_cached_like_images_and_the_centre_is_the_identity(
    images: Path, weights: Path, tmp_path: Path, passes: list[int]
) -> None:
    store, backbone = FeatureStore(tmp_path / "features"), cropped(weights, tmp_path, ("auto",))
    run(images, backbone, store)
    passes.clear()
    found = run(images, backbone, store, views=("identity", "hflip", "five_crop"))
    assert sum(passes) == 30 * 5, "the mirror image and four corners"
    assert [layer.view for layer in found.index.layers] == [
        "identity",
        "hflip",
        "top_left",
        "top_right",
        "bottom_left",
        "bottom_right",
    ]
    assert len({layer.fingerprint for layer in found.index.layers}) == 6
    row = manifest_of(images).examples()[3]
    with Image.open(images / row.path) as image:
        resized = backbone.preprocessing.resized(image.convert("RGB"))
    for layer in found.index.layers:
        expected = backbone.features(backbone.preprocessing.view(resized, layer.view).unsqueeze(0))["flatten"]
        assert torch.allclose(store.read(layer.fingerprint, layer.name, [row.digest]), expected, atol=1e-4)
    passes.clear()
    write_images(images, range(30, 32))
    assert run(images, backbone, store, views=("identity", "hflip")).computed == 2
    assert sum(passes) == 4
    with pytest.raises(BadParameters, match="five_crop needs a backbone"):
        run(images, read_backbone(BackboneParams(weights=str(weights))), store, views=("five_crop",))


def test_a_mixed_backlog_computes_nothing_twice(images: Path, weights: Path, tmp_path: Path, passes: list[int]) -> None:
    store, backbone = FeatureStore(tmp_path / "features"), cropped(weights, tmp_path, ("auto",))
    run(images, backbone, store)
    write_images(images, range(30, 33))
    passes.clear()
    found = run(images, backbone, store, views=("identity", "hflip"))
    assert (found.computed, sum(passes)) == (33, 30 + 2 * 3)
    layers = [(layer.fingerprint, layer.name) for layer in found.index.layers]
    assert [len(store.digests(*layer)) for layer in layers] == [33, 33]
    stored = sum(pq.read_metadata(path).num_rows for path in parts(store))
    assert stored == 66, "no row twice"


def test_the_cache_proves_itself_before_it_grows(
    images: Path, backbone: Backbone, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(tmp_path / "features")
    layer = run(images, backbone, store).index.layer(None)
    write_images(images, range(30, 31))
    with caplog.at_level("INFO"):
        run(images, backbone, store)
    assert "self-check: 8 cached examples extracted again, largest difference 0.0000 sd" in caplog.text
    # Sound by every checksum, and yet not what the backbone gives: filled by another version of a library.
    digests = manifest_of(images).digests
    wrong = store.read(layer.fingerprint, layer.name, digests).flip(1)
    shutil.rmtree(store.root)
    store.write(layer, digests, wrong, {"torch": "1.13.0", "pillow": version("pillow")})
    before = parts(store)
    write_images(images, range(31, 32))
    with pytest.raises(
        StaleFeatures,
        match=rf"torch 1\.13\.0 then, {re.escape(version('torch'))} now; some parts do not record .*\); delete ",
    ):
        run(images, backbone, store)
    assert parts(store) == before, "nothing was written"
    # Without a new image too, since the libraries are others than those of the parts.
    (images / "00031.png").unlink()
    with pytest.raises(StaleFeatures):
        run(images, backbone, store)


FULL = f"""{FIND_SUPPORT}
from pathlib import Path
from noise_images import LIMITS, manifest_of
from thaw.backbones.backbone import read_backbone
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.params.sections import BackboneParams, ExtractParams
from tasks.project.entry import stage
from thaw.dataset.places import Places
images, weights, root = map(Path, sys.argv[1:])

def main():
    backbone = read_backbone(BackboneParams(weights=str(weights)))
    extract(manifest_of(images), Places(images), backbone, FeatureStore(root), ExtractParams(part_rows=8, batch_size=4), limits=LIMITS)

stage(main)
"""


def extract_elsewhere(warm: Path, images: Path, weights: Path, root: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(warm / "forked"), "-c", FULL, str(images), str(weights), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 KB: room for three parts of the thirty images, not for four."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only the superuser may mount a small file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_tears_nothing_and_is_gone_on_from(
    images: Path, weights: Path, small_disk: Path, warm: Path
) -> None:
    root = small_disk / "features"
    found = extract_elsewhere(warm, images, weights, root)
    assert found.returncode == 1 and "Traceback" not in found.stderr
    assert f"{root}" in found.stderr.splitlines()[-1] and "No space left on device" in found.stderr.splitlines()[-1]
    store = FeatureStore(root)
    whole = list(parts(store))
    assert whole and not list(root.rglob(".tmp-*"))
    assert not store.set_aside_damaged(whole[0].parent.parent.name, "flatten")
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    again = extract_elsewhere(warm, images, weights, root)
    assert again.returncode == 0, again.stderr
    assert f"30 examples: {8 * len(whole)} with features already" in again.stderr


def test_a_cache_that_may_not_be_written_can_be_read(images: Path, weights: Path, tmp_path: Path, warm: Path) -> None:
    root = tmp_path / "features"
    layer = run(images, read_backbone(BackboneParams(weights=str(weights))), FeatureStore(root)).index.layer(None)
    bound = subprocess.run(["mount", "--bind", root, root], capture_output=True, check=False)
    if bound.returncode:
        pytest.skip("only the superuser may make a read-only mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
        assert len(FeatureStore(root).read(layer.fingerprint, layer.name, manifest_of(images).digests)) == 30
        nothing = extract_elsewhere(warm, images, weights, root)
        assert nothing.returncode == 0 and "0 forward passes to do" in nothing.stderr
        write_images(images, range(30, 31))
        found = extract_elsewhere(warm, images, weights, root)
        assert found.returncode == 1 and "Read-only file system" in found.stderr.splitlines()[-1]
        assert "Traceback" not in found.stderr
    finally:
        subprocess.run(["umount", root], check=True)


@pytest.mark.slow
def test_killed_again_and_again_it_only_goes_forward(weights: Path, tmp_path: Path, warm: Path) -> None:
    images, root = tmp_path / "many", tmp_path / "features"
    write_images(images, range(1200))
    rng, kept = random.Random(0), 0
    for _ in range(3):
        process = subprocess.Popen([warm / "forked", "-c", FULL, images, weights, root], stderr=subprocess.PIPE)
        while process.poll() is None and len(parts(FeatureStore(root))) <= kept:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.1)
        process.kill()
        process.communicate()  # it holds the pipe for as long as it lives
        now = len(parts(FeatureStore(root)))
        assert now >= kept
        kept = now
    last = extract_elsewhere(warm, images, weights, root)
    assert last.returncode == 0, last.stderr
    done, passes = (int(found) for found in re.findall(r"1200 examples: (\d+) .*?, (\d+) forward", last.stderr)[0])
    assert done >= 8 * (kept - 1) and done + passes == 1200
    store = FeatureStore(root)
    rows = sum(pq.read_metadata(path).num_rows for path in parts(store))
    assert rows == 1200 and not list(root.rglob("*.damaged"))


def test_a_torn_part_stops_no_precision_from_being_settled(images: Path, backbone: Backbone, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "features")
    run(images, backbone, store, precision="auto")
    torn = min(parts(store))
    torn.write_bytes(torn.read_bytes()[:-50])
    found = run(images, backbone, store, precision="auto")
    assert (found.cached, found.computed) == (22, 8)


def test_the_precision_that_holds_most_of_these_images_is_gone_on_in(
    images: Path, backbone: Backbone, tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path / "features")
    run(images, backbone, store, precision="float32")
    write_images(tmp_path / "others", range(100, 110))
    run(tmp_path / "others", backbone, store, precision="bfloat16")
    write_images(tmp_path / "both", range(2))
    run(tmp_path / "both", backbone, store, precision="bfloat16")
    assert run(images, backbone, store, precision="auto").computed == 0


def test_numbers_that_overflow_are_not_stored(images: Path, weights: Path, tmp_path: Path) -> None:
    tensors = read_weights(weights).tensors
    large = {name: tensor + 1e6 if name == "layer3.0.bn2.bias" else tensor for name, tensor in tensors.items()}
    write_weights(weights, large, {"architecture": "thaw_small"})
    store = FeatureStore(tmp_path / "features")
    with pytest.raises(
        BadParameters, match=r"\.png: its features of flatten are not finite numbers.*extract\.dtype=float32"
    ):
        run(images, read_backbone(BackboneParams(weights=str(weights))), store, dtype="float16")
    assert not parts(store)


@pytest.mark.parametrize("device", ["gpu", "cuda:77"])
def test_a_device_that_is_not_there_is_named(images: Path, backbone: Backbone, tmp_path: Path, device: str) -> None:
    with pytest.raises(BadParameters, match=f"extract.device: {device} cannot be used here"):
        run(images, backbone, FeatureStore(tmp_path / "features"), device=device)
