"""Claims: how many requests a second `thaw serve` answers, and how late the slowest hundredth is, beside `mlflow models serve` of the very same model.

    [THAW_REAL_DATA=FOLDER] python benchmarks/serve.py [--quick]

A small project is built and registered; both servers start from its registry, held to the same two cores (`taskset`), which the client shares; MLflow has a
worker a core. The same client asks both, in turns: threads with a connection each, which ask again as soon as they have an answer, for a fixed time; the median
over rounds is taken. Thaw gets the image's bytes in a form, MLflow the same bytes as base64 in JSON, which is the only way that it has. Both must say the same
label of every image. Without THAW_REAL_DATA: the embedded backbone on handwritten digits, 8 x 8 pixels. With it, also MobileNetV2 on photographs of ants
and bees. `--quick`: fewer and shorter rounds, digits alone.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

HERE = Path(__file__).resolve().parents[1]
DIGITS = """\
dataset: {source: data/sources/digits, splits: {val: 0.0, test: 0.2}}
backbone: {weights: %s}
strategy: {kind: linear, minutes: 0}
evaluate: {baselines: [majority], seeds: 1}
statistics: {bootstrap: 50}
registry: {name: bench}
"""
PHOTOGRAPHS = """\
dataset: {source: %s/hymenoptera}
backbone: {weights: %s/mobilenet_v2-imagenet.pth}
strategy: {kind: linear, minutes: 0}
evaluate: {baselines: [majority], seeds: 1}
statistics: {bootstrap: 50}
registry: {name: bench}
"""
MAKE = """\
import importlib
from tasks.registry.registering import register
from tasks.registry.registry import CHAMPION, open_registry
from thaw.params.values.reading import read_params
for name in ("settings", "fetch", "ingest", "extract", "advise", "head", "finetune", "compare", "evaluate", "track"):
    importlib.import_module(f"tasks.stages.{name}").main()
register(read_params())
open_registry(read_params().registry).set_alias(CHAMPION, 1)
"""
CORES = "0,1"
FEWEST_CORES = 2


@dataclass(frozen=True)
class Measured:
    """Of a spell: requests a second, the 99th percentile of their latencies, and what the server computed for each."""

    rate: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True)
class Contender:
    """A server, and how it is asked: image bytes to a request; and its answer to the label."""

    name: str
    address: str
    request: Callable[[str, bytes], httpx.Request]
    label: Callable[[Any], str]
    process: psutil.Process

    def cpu_s(self) -> float:
        """Seconds of processor time that the server has taken so far, all of its processes together."""
        family = (self.process, *self.process.children(recursive=True))
        return sum(sum(one.cpu_times()[:2]) for one in family)


def main() -> None:
    """Measure and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, digits alone")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        weights = HERE / "data/pretrain/small.safetensors"
        report("digits, embedded backbone", build(Path(folder) / "digits", DIGITS % weights), quick=quick)
        if (real := os.environ.get("THAW_REAL_DATA")) and not quick:
            project = build(Path(folder) / "photographs", PHOTOGRAPHS % (real, real))
            report("photographs, MobileNetV2", project, quick=quick)


def build(root: Path, params: str) -> Path:
    """A project with a champion, by the stages themselves."""
    root.mkdir()
    (root / "params.yaml").write_text(params)
    (root / "dvc.yaml").write_text("stages: {}\n")
    subprocess.run([sys.executable, "-c", MAKE], cwd=root, env=environment(), check=True, stderr=subprocess.DEVNULL)
    return root


def environment() -> dict[str, str]:
    """The same for both servers, with nothing that limits their threads; programs of this Python first."""
    kept = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "MLFLOW_TRACKING_URI")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PYTHONPATH": str(HERE), "PATH": programs, "MLFLOW_DISABLE_TELEMETRY": "true"}


def report(name: str, root: Path, *, quick: bool) -> None:
    """One line a claim, for one client and for several."""
    images = [file.read_bytes() for file in sorted(Path(_source(root)).rglob("*.*g"))[:: 7 if quick else 3][:64]]
    with both(root) as contenders:
        agree(contenders, images)
        for clients in (1, 8):
            rounds, seconds = (1, 2.0) if quick else (5, 5.0)
            found = interleaved(contenders, images, clients, rounds, seconds)
            ours, theirs = (found[contender.name] for contender in contenders)
            where = f"{name}, {clients} client{'s' if clients > 1 else ''}, 2 cores"
            claim(f"requests a second, {where}", ours.rate, theirs.rate, ours.rate / theirs.rate, 2.0)
            claim(
                f"99th percentile of latency, ms, {where}", ours.p99_ms, theirs.p99_ms, theirs.p99_ms / ours.p99_ms, 1.5
            )
            claim(f"processor time of the server for a request, ms, {where}", ours.cpu_ms, theirs.cpu_ms, theirs.cpu_ms / ours.cpu_ms, 2.0)  # fmt: skip


def _source(root: Path) -> str:
    from thaw.params.values.reading import read_params

    return str(root / read_params(root / "params.yaml").dataset.source)


@contextmanager
def both(root: Path) -> Iterator[tuple[Contender, Contender]]:
    """Both servers of the champion, ready."""
    uri = f"sqlite:///{root}/.thaw/mlflow.db"
    ours, theirs = free_port(), free_port()
    commands = (
        [sys.executable, "-m", "flows.cli", "serve", "--port", str(ours)],
        [
            "mlflow",
            "models",
            "serve",
            "-m",
            "models:/bench@champion",
            "-p",
            str(theirs),
            "-w",
            "2",
            "--env-manager",
            "local",
        ],
    )
    with tempfile.TemporaryFile() as log:
        started = [
            subprocess.Popen(
                ["taskset", "-c", CORES, *command], cwd=root, env=environment() | {"MLFLOW_TRACKING_URI": uri},
                stdout=log, stderr=log, start_new_session=True,
            )
            for command in commands
        ]  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{ours}/ready")
            wait_for(f"http://127.0.0.1:{theirs}/ping")
            labels = (lambda found: found["images"][0]["label"], lambda found: found["predictions"][0]["label"])
            processes = tuple(psutil.Process(process.pid) for process in started)
            yield (
                Contender("thaw serve", f"http://127.0.0.1:{ours}", to_thaw, labels[0], processes[0]),
                Contender("mlflow models serve", f"http://127.0.0.1:{theirs}", to_mlflow, labels[1], processes[1]),
            )
        finally:
            for process in started:
                os.killpg(process.pid, 15)
            for process in started:
                process.wait(60)


def free_port() -> int:
    """Any port that is free."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, seconds: float = 180) -> None:
    """Until an address answers with success."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{address} did not answer within {seconds:g} s")


def to_thaw(address: str, image: bytes) -> httpx.Request:
    """Image bytes in a form."""
    return httpx.Request("POST", f"{address}/predict", files={"images": ("image", image)})


def to_mlflow(address: str, image: bytes) -> httpx.Request:
    """The same bytes as base64 in JSON."""
    encoded = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    return httpx.Request("POST", f"{address}/invocations", json={"inputs": [encoded]})


def agree(contenders: Sequence[Contender], images: Sequence[bytes]) -> None:
    """Both say the same of every image; it also warms both up."""
    labels = []
    for contender in contenders:
        with httpx.Client(timeout=60) as client:
            answers = [client.send(contender.request(contender.address, image)) for image in images]
        labels.append([contender.label(answer.raise_for_status().json()) for answer in answers])
    assert labels[0] == labels[1], "the servers answer differently"


def interleaved(
    contenders: Sequence[Contender], images: Sequence[bytes], clients: int, rounds: int, seconds: float
) -> dict[str, Measured]:
    """Medians of each, in turns so that a slow spell hits all alike; a first, short round is not counted."""
    taken: dict[str, list[Measured]] = {contender.name: [] for contender in contenders}
    for round_ in range(rounds + 1):
        for contender in contenders:
            found = spell(contender, images, clients, seconds if round_ else 1.0)
            if round_:
                taken[contender.name].append(found)
    return {
        name: Measured(*(statistics.median(getattr(one, field.name) for one in all_) for field in fields(Measured)))
        for name, all_ in taken.items()
    }


def spell(contender: Contender, images: Sequence[bytes], clients: int, seconds: float) -> Measured:
    """Ask for some seconds, each client anew as soon as it has its answer."""
    latencies: list[float] = []
    requests = [contender.request(contender.address, image) for image in images]
    asked = [(one.url.raw_path.decode(), one.read(), dict(one.headers)) for one in requests]
    until = time.perf_counter() + seconds

    def run(number: int) -> None:
        # The standard library's client: httpx would compute longer than the servers do.
        connection = HTTPConnection(urlsplit(contender.address).netloc, timeout=60)
        while (start := time.perf_counter()) < until:
            path, body, headers = asked[number % len(asked)]
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            latencies.append(time.perf_counter() - start)
            number += clients
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    start, computed = time.perf_counter(), contender.cpu_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, computed = time.perf_counter() - start, contender.cpu_s() - computed
    p99 = statistics.quantiles(latencies, n=100)[98]
    return Measured(len(latencies) / elapsed, 1e3 * p99, 1e3 * computed / len(latencies))


def claim(text: str, ours: float, reference: float, ratio: float, goal: float) -> None:
    """One line of the result; a ratio above 1 is in our favour."""
    print(json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal}), flush=True)


if __name__ == "__main__":
    if (os.cpu_count() or 1) < FEWEST_CORES:
        raise SystemExit("two cores are needed")
    main()
