"""Extraction on Ray gives what one machine gives, row for row, and outlives a machine that is killed in the middle."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from noise_images import LIMITS, manifest_of, write_images
from object_store import object_store, objects

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines.reference import deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.backbones.weights import write_weights
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import Aids, Extraction, extract
from thaw.features.extraction.ray.cluster import fitting_actors
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadParameters, BadSource, Unreachable
from thaw.foundation.parallel.progress import Progress, untold
from thaw.params.sections import BackboneParams, ExtractParams, RayParams


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path, build_seeded("thaw_small", 10, 0).state_dict(), {"architecture": "thaw_small"})
    return read_backbone(BackboneParams(weights=str(path), layers=("layer1", "auto")))


def run(
    images: Path, backbone: Backbone, into: FeatureStore, progress: Progress = untold, **changes: object
) -> Extraction:
    params = ExtractParams.model_validate({"part_rows": 16, **changes})
    return extract(
        manifest_of(images), Places(images), backbone, into, params, limits=LIMITS, aids=Aids(progress=progress)
    )


def same(one: FeatureStore, other: FeatureStore, found: Extraction, digests: list[bytes]) -> bool:
    """Row for row within the tolerance of float32: on a busy machine an actor may have measured another engine to be the fastest."""
    return all(
        TOLERANCES["float32"].allows(
            deviation(*(store.read(layer.fingerprint, layer.name, digests) for store in (one, other)))
        )
        for layer in found.index.layers
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def url() -> Iterator[str]:
    with object_store() as address:
        yield f"{address}/cache"


@pytest.mark.slow
def test_a_machine_is_killed_in_the_middle_and_nothing_is_lost_or_made_twice(
    backbone: Backbone, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    # Of Ray's own 30 s, a busy machine with two cores may take more.
    monkeypatch.setenv("RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S", "180")

    images = tmp_path / "images"
    write_images(images, range(800))
    options = {"object_store_memory": 100 * 2**20}
    port = free_port()
    head = {"num_cpus": 2, "include_dashboard": False, "ray_client_server_port": port, **options}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    second = cluster.add_node(num_cpus=1, **options)
    cluster.wait_for_nodes()
    (raylet,) = (info.process.pid for info in second.all_processes["raylet"])
    at_kill: dict[str, object] = {}

    def kill_in_the_middle(done: int, total: int) -> None:
        if done >= total // 4 and not at_kill:
            assert any("MapWorker" in process.name() for process in psutil.Process(raylet).children(recursive=True))
            cluster.remove_node(second, allow_graceful=False)
            at_kill.update(objects())

    try:
        store, ray = (
            FeatureStore(tmp_path / "ray"),
            {"address": f"ray://{cluster.head_node.node_ip_address}:{port}", "actors": 2},
        )
        found = run(images, backbone, store, kill_in_the_middle, engine="ray", store=url, ray=ray)
        gone_is_said(backbone, tmp_path, {**ray, "actors": 1})
    finally:
        cluster.shutdown()
    written = objects()
    assert found.computed == 800 and len(at_kill) >= 20
    assert len(written) == 2 * 50, "each part once, in both layers, and nothing else"
    assert {key: written[key] for key in at_kill} == at_kill, "what was written is not written again"
    alone = FeatureStore(tmp_path / "alone")
    assert run(images, backbone, alone).index == found.index
    assert same(store, alone, found, manifest_of(images).digests)
    # Another machine finds all of it there.
    other = FeatureStore(tmp_path / "other")
    assert run(images, backbone, other, store=url).computed == 0
    assert same(other, alone, found, manifest_of(images).digests)


def gone_is_said(backbone: Backbone, folder: Path, ray: dict[str, object]) -> None:
    """An image that is gone is said as on one machine, and not tried again for ever."""
    images = folder / "gone"
    write_images(images, range(2))
    manifest = manifest_of(images)
    (images / "00001.png").unlink()
    params = ExtractParams.model_validate({"engine": "ray", "ray": ray})
    with pytest.raises(BadSource, match=r"00001\.png was ingested but cannot be read now"):
        extract(manifest, Places(images), backbone, FeatureStore(folder / "none"), params, limits=LIMITS)


@pytest.mark.slow
def test_a_cluster_of_its_own_goes_on_where_one_machine_stopped(backbone: Backbone, tmp_path: Path) -> None:
    images, shared = tmp_path / "images", tmp_path / "shared"
    write_images(images, range(40))
    store, seen = FeatureStore(tmp_path / "features"), []
    run(images, backbone, store, store=str(shared))
    write_images(images, range(40, 90))
    found = run(
        images, backbone, store, lambda *state: seen.append(state), engine="ray", store=str(shared), ray={"actors": 1}
    )
    assert (found.computed, found.cached) == (50, 40)
    assert seen[-1] == (50, 50) and len(seen) == 4
    alone = FeatureStore(tmp_path / "alone")
    assert run(images, backbone, alone).index == found.index
    assert same(store, alone, found, manifest_of(images).digests)
    assert len(list(shared.rglob("part-*.parquet"))) == len(list(store.root.rglob("part-*.parquet")))


def test_what_is_missing_is_said(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = tmp_path / "images"
    write_images(images, range(2))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadParameters, match=r"`make install` brings it, or `pip install -e '\.\[ray\]'`"):
        run(images, backbone, FeatureStore(tmp_path / "features"), engine="ray")


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_named(backbone: Backbone, tmp_path: Path) -> None:
    images = tmp_path / "images"
    write_images(images, range(2))
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=r"extract\.ray\.address: 127\.0\.0\.1:\d+ does not answer"):
        run(images, backbone, FeatureStore(tmp_path / "features"), engine="ray", ray={"address": address})


def test_no_more_actors_than_fit_into_the_cluster() -> None:
    assert fitting_actors(RayParams(num_cpus=2), {"CPU": 5.0, "memory": 1.0}) == 2
    assert fitting_actors(RayParams(num_gpus=0.5), {"CPU": 16.0, "GPU": 2.0}) == 4
    with pytest.raises(BadParameters, match="needs 1 cores and 1 GPUs, and the whole cluster has 16 and 0"):
        fitting_actors(RayParams(num_gpus=1), {"CPU": 16.0})
