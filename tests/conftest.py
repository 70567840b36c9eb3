"""Small real pictures on disk, and the real data that some machines have."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

if TYPE_CHECKING:
    import torch
    from commands import Thaw
    from started import Pausing

    from thaw.kinds.batches import Batch

Draw = Callable[[Path, int], Path]

# A shell that starts the tests in the background has them ignore Ctrl-C, and every command that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A deadline would judge how busy the machine is.
settings.register_profile("thaw", deadline=None)
settings.load_profile("thaw")
# No test uses the servers of whoever runs the tests.
for _name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
    os.environ.pop(_name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that began last would keep a single worker busy at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _same_surroundings() -> Iterator[None]:
    """No test leaves variables or a working directory to the next. A command in this process sets both: it enters a project."""
    variables, folder = dict(os.environ), Path.cwd()
    yield
    os.chdir(folder)
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Prefect's data base as a server of this version makes it: more than half of a first start is that. Whoever starts a server copies it."""
    from made_once import made_once
    from started import make_prefect_home

    return made_once(tmp_path_factory, "prefect-home", make_prefect_home)


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Iterator[str]:
    """The API of a Prefect server: starting a temporary one for each command takes longer than most commands. Nothing happens on it by itself."""
    from started import Pausing, prefect_server, serving

    from flows.processes.ports import HOST, free_port

    home, port = tmp_path_factory.mktemp("prefect"), free_port(0)
    shutil.copytree(prefect_home, home, dirs_exist_ok=True)
    with serving(prefect_server(home, port, on_time=False), home) as server:
        _paused.append(Pausing(server))
        yield f"http://{HOST}:{port}/api"
        _paused.pop().go_on(needed=True)


_paused: "list[Pausing]" = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The Prefect server runs during the tests that need it, and the fixtures that they are the first to need."""
    for server in _paused:
        server.go_on(needed="prefect" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of programs of a warm Python, for tests whose subject is not the process: each stage and command starts in a tenth of the time."""
    from made_once import shared_folder
    from warm_python import warm_programs

    with warm_programs(shared_folder(tmp_path_factory) / "warm") as programs:
        yield programs


@pytest.fixture(scope="session")
def thaw(warm: Path) -> "Thaw":
    """`thaw` as a user types it, from a warm Python."""
    from commands import Thaw

    return Thaw(warm)


@pytest.fixture
def draw() -> Draw:
    """Write a 24 x 32 picture of noise, another for each seed, as the kind that the path's ending names."""

    def write(path: Path, seed: int) -> Path:
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def picture_folder(tmp_path: Path, draw: Draw) -> Path:
    """A source of two classes: `ants` with six JPEG and `bees` with six PNG pictures, all different."""
    root = tmp_path / "source"
    for index in range(6):
        draw(root / "ants" / f"ant-{index}.jpg", index)
        draw(root / "bees" / f"bee-{index}.png", 100 + index)
    return root


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of examples that truly go through the network, pass by pass."""
    from thaw.backbones.engines.torch_engine import TorchEngine
    from thaw.kinds.batches import rows_in

    seen: list[int] = []
    forward = TorchEngine._forward

    def counted(engine: TorchEngine, batch: "Batch") -> "dict[str, torch.Tensor]":
        seen.append(rows_in(batch))
        return forward(engine, batch)

    monkeypatch.setattr(TorchEngine, "_forward", counted)
    return seen


@pytest.fixture
def series(tmp_path: Path) -> Iterator[None]:
    """The kind `series` of `series_kind`, as an installed package brings it."""
    from series_source import registered

    with registered(tmp_path / "site"):
        yield


@pytest.fixture(scope="session")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `registration.build_project` makes in seconds, once for all tests: whoever works in it copies it."""
    from made_once import made_once
    from registration import build_project

    return made_once(tmp_path_factory, "built", build_project)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `registration.make_empty_store` makes, once for all tests, for `registration.copy_empty_store`."""
    from made_once import made_once
    from registration import make_empty_store

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return made_once(tmp_path_factory, "store", make_empty_store)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real inputs that `THAW_REAL_DATA` names."""
    if not (folder := os.environ.get("THAW_REAL_DATA")):
        pytest.skip("THAW_REAL_DATA names no folder of real data")
    if not Path(folder).is_dir():
        pytest.skip(f"THAW_REAL_DATA names {folder}, which does not exist")
    return Path(folder).resolve()
