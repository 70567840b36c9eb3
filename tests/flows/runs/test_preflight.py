"""`thaw check` finds what would stop a run, names its cause, and looks again only at what has changed."""

import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch

from flows.project.errors import NotReady
from flows.runs import machine_findings
from flows.runs.findings import RECORD, Finding, Verdict
from flows.runs.preflight import check_all, preflight
from flows.runs.results import METRICS
from thaw.backbones import backbone as backbones
from thaw.backbones.architectures import build_seeded
from thaw.params.values.reading import PARAMS

Draw = Callable[[Path, int], Path]
PIPELINE = """\
stages:
  all:
    cmd: "true"
    deps: ["${dataset.source}", "${backbone.weights}"]
    outs: [data/features, {data/sources: {persist: true}}, {data/weights: {persist: true}}]
"""


@pytest.fixture
def root(tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its own small weights and two classes of twenty files."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "weights").mkdir()
    shutil.copy(Path("data/pretrain/small.safetensors"), tmp_path / "weights/small.safetensors")
    for place in range(20):
        draw(tmp_path / "photos/ants" / f"{place}.png", place)
        draw(tmp_path / "photos/bees" / f"{place}.png", 100 + place)
    return settle(tmp_path)


def settle(
    root: Path,
    *,
    source: str = "photos",
    weights: str = "weights/small.safetensors",
    listing: str = "null",
    more: str = "",
) -> Path:
    """Write the parameters; `more`: further lines."""
    (root / PARAMS).write_text(
        f"dataset: {{source: {source!r}, listing: {listing}}}\nbackbone: {{weights: {weights!r}}}\n{more}"
    )
    return root


def failures(root: Path) -> dict[str, Finding]:
    return {found.check: found for found in check_all(root) if found.verdict is Verdict.FAIL and found.check != "dvc"}


def said(root: Path, check: str) -> str:
    """The only failing check, in words; a run refuses with the same ones."""
    failed = failures(root)
    assert list(failed) == [check], failed
    with pytest.raises(NotReady) as caught:
        preflight(root)
    assert str(caught.value) == str(failed[check])
    return str(caught.value)


def test_a_sound_project_passes(root: Path) -> None:
    assert failures(root) == {}
    assert preflight(root).params.dataset.source == "photos"
    assert any(found.says == "40 examples in 2 classes" for found in check_all(root))
    assert any(found.says == "weights/small.safetensors: thaw_small" for found in check_all(root))


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(POINTER, "git lfs pull"), (b"<!DOCTYPE html><html>", "is a web page"), (b"", "is empty"), (b"PK", "damaged")],
)
def test_weights_that_are_something_else_are_named(root: Path, content: bytes, reason: str) -> None:
    (root / "weights/w.pth").write_bytes(content)
    assert reason in said(settle(root, weights="weights/w.pth"), "weights")


def test_weights_that_are_all_nan_are_refused(root: Path) -> None:
    own = build_seeded("thaw_small", 10, 0).state_dict()
    torch.save(
        {name: tensor * float("nan") if tensor.is_floating_point() else tensor for name, tensor in own.items()},
        root / "weights/w.pth",
    )
    assert "`conv1.weight` holds NaN" in said(settle(root, weights="weights/w.pth"), "weights")


def test_a_checkpoint_of_lightning_passes_and_what_was_renamed_is_told(root: Path) -> None:
    own = build_seeded("thaw_small", 10, 0).state_dict()
    whole = {"state_dict": {f"model.{name}": tensor for name, tensor in own.items()}, "hyper_parameters": {"lr": 1}}
    torch.save(whole, root / "weights/last.ckpt")
    settle(root, weights="weights/last.ckpt")
    assert failures(root) == {}
    assert any("begin with `model.`, which was taken off" in found.says for found in check_all(root))


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ("data/weights/ResNet18_Weights.IMAGENET1K_V9.pth", "similar names: ResNet18_Weights.IMAGENET1K_V1"),
        ("data/weights/resnet81.random.pth", "similar names: resnet18"),
        ("weights/smal.safetensors", "small.safetensors beside it does"),
        ("weights", "is a folder"),
    ],
)
def test_a_name_of_no_weights_is_refused_with_those_that_are_like_it(root: Path, weights: str, reason: str) -> None:
    assert reason in said(settle(root, weights=weights), "weights")


@pytest.mark.parametrize(
    ("more", "check", "reason"),
    [
        ("extract: {device: tpu}", "extract.device", "tpu cannot be used here"),
        ("extract: {device: 'cpu', store: /proc/nowhere}", "extract.store", "/proc"),
    ],
)
def test_a_machine_that_lacks_what_is_asked_for_is_told(
    root: Path, more: str, check: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_findings.os, "access", lambda place, mode: not str(place).startswith("/proc"))
    assert reason in said(settle(root, more=more), check)


def test_a_layer_that_does_not_exist_is_found_without_a_forward_pass(root: Path) -> None:
    (root / PARAMS).write_text(
        (root / PARAMS).read_text().replace("small.safetensors'", "small.safetensors', layers: [layer9]")
    )
    assert "layer9 given; thaw_small has" in said(root, "weights")


def listed(root: Path, lines: list[str]) -> Path:
    (root / "photos/list.csv").write_text("\n".join(lines) + "\n")
    return settle(root, listing="list.csv")


PATHS = [f"{name}/{place}.png,{name}" for name in ("ants", "bees") for place in range(20)]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["path,label,group", *(f"{row},all" for row in PATHS)], "all rows have the same group"),
        (["path,label,split", *(f"{row},test" for row in PATHS)], "no labelled file would be trained on"),
        (["path,label,split", *(f"{row},train" for row in PATHS[:38]), "bees/18.png,moth,test"], "`moth` (1 file)"),
        (["path,klass", *PATHS], "has no column label"),
        (["path,label", *(f"no/{place}.png,a" for place in range(20)), *PATHS], "20 files cannot be used, and dataset.max_rejected allows 10"),
        (["path,label", *PATHS[:20]], "only the class `ants`"),
    ],
)  # fmt: skip
def test_faults_of_a_listing_are_called_so(root: Path, lines: list[str], reason: str) -> None:
    found = said(listed(root, lines), "examples")
    assert reason in found and "arrange" not in found and "folder a class" not in found


def test_a_source_of_pointers_is_called_so(root: Path) -> None:
    for file in (root / "photos").rglob("*.png"):
        file.write_bytes(POINTER)
    found = said(root, "examples")
    assert "none of 12 files that were opened is an image" in found and "git lfs pull" in found


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (".", "is the project itself"),
        ("..", "holds the project itself"),
        ("data", "that the pipeline itself writes to (data/features)"),
        ("data/features/x", "that the pipeline itself writes to (data/features)"),
        ("data/sources/digitz", "the built-in sets are digits, hymenoptera"),
        ("photo", "photos beside it does"),
        ("s3://bucket/photos", "is an address"),
        ("labels.csv", "dataset.listing to the table"),
        ("photos.zip", "unpack it"),
    ],
)
def test_a_source_that_is_none_is_refused_with_its_cause(root: Path, source: str, reason: str) -> None:
    (root / "data/features/x").mkdir(parents=True)
    for name in ("labels.csv", "photos.zip"):
        (root / name).touch()
    assert reason in said(settle(root, source=source), "data source")


def test_what_the_first_run_downloads_is_told_with_its_licence_and_size(root: Path) -> None:
    settle(root, source="data/sources/sms_spam/sms_spam.csv", weights="data/weights/glove.6B.50d.safetensors")
    found = {finding.check: finding for finding in check_all(root)}
    source, weights = found["data source"], found["weights"]
    assert source.verdict is Verdict.PASS and "the first run downloads https://archive.ics.uci.edu/" in source.says
    assert "(licence: CC BY 4.0, 203 kB)" in source.says
    assert weights.verdict is Verdict.WARN and "(licence: PDDL 1.0, 862 MB): be online" in str(weights)
    settle(root, source="data/sources/digits")
    assert any("the first run makes it" in finding.says for finding in check_all(root))


def test_a_built_in_source_lies_where_a_stage_puts_it(root: Path) -> None:
    shutil.copytree(root / "photos", root / "data/sources/digits")
    assert failures(settle(root, source="data/sources/digits")) == {}


class Server(BaseHTTPRequestHandler):
    """A tracking server that answers with the status in the path."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()

    def log_message(self, *given: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.mark.parametrize(("status", "reason"), [(200, None), (404, None), (401, "wants a login"), (503, "fails (503")])
def test_a_tracking_server_is_asked(
    root: Path, server: str, status: int, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server}/{status}")
    if reason is None:
        assert failures(root) == {}
    else:
        assert reason in said(root, "mlflow server")


def test_a_dead_and_a_silent_tracking_server_stop_a_whole_run_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_findings, "_SILENCE_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (9, silent.getsockname()[1]):
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
            began = time.monotonic()
            found = said(root, "mlflow server")
            assert "does not answer" in found and "secret" not in found
            assert time.monotonic() - began < 20
            preflight(root, whole=False)  # the stages before the registration need no server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nowhere/mlflow.db")
    assert "nowhere does not exist" in said(root, "mlflow server")


def test_what_has_not_changed_is_not_read_again(root: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    preflight(root)

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr(backbones, "read_weights", refuse)
        patch.setattr("thaw.dataset.sources.source_of_kind", refuse)
        preflight(root)
        draw(root / "photos/ants/new.png", 999)
        with pytest.raises(AssertionError, match="read again"):
            preflight(root)
    preflight(root)
    (root / "weights/small.safetensors").write_bytes(POINTER)
    assert "git lfs pull" in said(root, "weights")
    assert "git lfs pull" in said(root, "weights"), "what failed is looked at each time"
    (root / RECORD).write_text("torn")
    assert "git lfs pull" in said(root, "weights")


def test_all_that_fails_is_told_at_once(root: Path) -> None:
    settle(root, source="nowhere", weights="nothing.pth")
    with pytest.raises(NotReady, match=r"data source: nowhere does not exist.*weights: nothing\.pth does not exist"):
        preflight(root)


def test_a_pipeline_that_reads_neither_needs_neither(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "weights/w.pth").write_bytes(POINTER)
    assert failures(settle(root, source=".", weights="weights/w.pth")) == {}


@pytest.mark.parametrize(
    ("promotion", "says", "advice"),
    [
        ("margin: 0.01", "a margin of 1.0 points is less than about 60 test rows resolve (", " test rows would do"),
        (
            "margin: 0",
            "a margin of 0.0 points is less than about 60 test rows resolve (",
            "no number of rows rules out",
        ),
        ("min_rows: 100", "the test will have about 60 rows, and promotion.min_rows asks for 100", "add test rows"),
    ],
)
def test_a_margin_that_the_test_cannot_resolve_is_warned_of_before_the_run(
    root: Path, draw: Draw, promotion: str, says: str, advice: str
) -> None:
    for place in range(130):
        for name, first in (("ants", 1000), ("bees", 3000)):
            draw(root / "photos" / name / f"more-{place}.png", first + place)
    settle(root, more=f"promotion: {{{promotion}}}\n")
    (warning,) = (found for found in check_all(root) if found.check == "promotion.margin")
    assert warning.verdict is Verdict.WARN and warning.says.startswith(says) and advice in warning.advice
    assert warning in preflight(root).warnings, "a run begins with it"
    settle(root, more=f"promotion: {{{promotion}, rule: better}}\n")
    assert "promotion.margin" not in {found.check for found in preflight(root).warnings}


def test_the_margin_that_follows_the_test_is_stated_and_follows_the_last_measured_model(root: Path, draw: Draw) -> None:
    for place in range(130):
        draw(root / "photos/ants" / f"more-{place}.png", 1000 + place)
    settle(root, more="promotion: {min_rows: 5}\n")

    def stated() -> str:
        (finding,) = (found for found in check_all(root) if found.check == "promotion.margin")
        assert finding.verdict is Verdict.PASS
        return finding.says

    supposed = stated()
    assert re.fullmatch(r"\d+\.\d points on about 34 test rows; it follows the test", supposed)
    (root / METRICS).parent.mkdir(parents=True)
    (root / METRICS).write_text('{"test": {"n": 8, "exact_match": 0.3}}')
    assert stated() > supposed
