"""`thaw serve`: the champion behind HTTP, or a trigger behind a WebSocket."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from flows.serving.hosts import Hosts
    from flows.serving.limits import Limits
    from thaw.kinds.kind import Limits as ExampleLimits
    from thaw.models.listening.trigger_model import TriggerModel
    from thaw.models.serving.engines import EngineName


class EngineChoice(StrEnum):
    """The engines that can run the network."""

    AUTO = "auto"
    TORCH = "torch"
    OPENVINO = "openvino"


def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: any free port.")] = 8080,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A host name that requests may use beside localhost; may be repeated. If left out, any name on an address that other machines reach."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="models:/NAME@ALIAS or models:/NAME/NUMBER; the champion if left out.")
    ] = None,
    trigger: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Listen for the trigger of a folder that `thaw trigger` made, instead of a model of the registry.",
        ),
    ] = None,
    listeners: Annotated[int, typer.Option(min=1, help="The most streams at once, for triggers.")] = 8,
    engine: Annotated[
        EngineChoice, typer.Option(help="The engine that runs the network; auto: the fastest on this machine.")
    ] = EngineChoice.AUTO,
    poll_s: Annotated[float, typer.Option(min=0.1, help="Seconds between checks of the alias.")] = 5.0,
    max_body_mb: Annotated[float, typer.Option(min=0.001, help="The largest request, in MB (10^6 bytes).")] = 16,
    max_examples: Annotated[
        int,
        typer.Option("--max-examples", "--max-images", min=1, help="The largest number of examples in one request."),
    ] = 32,
    max_in_flight: Annotated[
        int, typer.Option(min=1, help="The largest number of requests at once; further requests get 503.")
    ] = 32,
    timeout_s: Annotated[
        float, typer.Option(min=0.1, help="Seconds for a request to arrive, and for its answer.")
    ] = 30,
    patience_ms: Annotated[
        float, typer.Option(min=0, help="Milliseconds that an example waits for others, to share a batch.")
    ] = 3,
) -> None:
    """Label examples over HTTP: a page to try it on, POST /predict, GET /health, /ready, /model, /metrics and /docs.

    Examples that arrive at the same time go through the network together. When the alias moves, the new version is loaded and warmed beside the old version
    and takes its place without a dropped request. SIGTERM and Ctrl-C let open requests finish. Examples beyond the dataset's limits
    (dataset.max_megapixels, dataset.max_characters) are refused. Examples that can be typed may come as JSON, such as {"texts": ["..."]}; /docs has commands
    for curl. A model of triggers, or --trigger, listens in streams instead: a page with a microphone, and a WebSocket at /listen; it keeps the version with
    which it began.
    """
    if trigger is not None and model is not None:
        raise typer.BadParameter("a trigger is served from its folder, without --model", param_hint="--trigger")
    from flows.cli.stopping import ended_by_signals
    from flows.cli.terminal import err, out
    from flows.project.environment import enter_project
    from flows.serving.limits import Limits
    from flows.serving.server import address_of, is_loopback, listen, run

    if trigger is None:
        enter_project()
    with listen(host, port) as bound, ended_by_signals():
        if not is_loopback(host):
            warning = f"{host} can be reached from other machines, and everyone there may send examples: this server has no login and no encryption"
            err().print(f"{warning}; put a proxy with both in front of it", style="yellow", soft_wrap=True)
        try:
            hosts = _hosts(bound.getsockname()[0], allow_host or [])
            with err().status("loading the server"):
                if trigger is None:
                    limits = Limits(
                        max_body_mb, _example_limits(), max_examples, max_in_flight, timeout_s, patience_ms / 1e3
                    )
                    app, message_bytes = _app(model, engine.value, poll_s, limits, hosts, listeners=listeners)
                else:
                    app, message_bytes = _folder_app(trigger, listeners, hosts)
            out().print(f"serving on {address_of(bound)}, Ctrl-C stops it", soft_wrap=True)
            run(app, bound, timeout_s, message_bytes=message_bytes)
        except KeyboardInterrupt:  # before it served
            pass
        err().print("stopped")


def _hosts(address: str, allowed: list[str]) -> "Hosts":
    from flows.serving.hosts import hosts_of

    try:
        return hosts_of(address, allowed)
    except ValueError as error:
        raise typer.BadParameter(f"--allow-host: {error}") from error


def _example_limits() -> "ExampleLimits":
    from thaw.params.values.reading import read_params

    return read_params().dataset.limits


def _app(
    model: str | None, engine: "EngineName", poll_s: float, limits: "Limits", hosts: "Hosts", *, listeners: int
) -> "tuple[FastAPI, int | None]":
    """The application, after a check that the registry has a model to serve, and the most bytes of a message of a stream."""
    import logging

    from flows.serving.app import Parts, build_app
    from flows.serving.following import following
    from tasks.registry.registry import open_registry
    from tasks.registry.served_model import find_number, wanted_of
    from tasks.registry.version_tags import hears_triggers
    from tasks.requests.hear import read_listening
    from thaw.foundation.errors import Unreachable
    from thaw.params.values.reading import read_params

    _prepare()
    params = read_params().registry
    wanted = wanted_of(model, params.name)
    registry = open_registry(params.model_copy(update={"name": wanted.name}))
    try:
        version = registry.version(find_number(registry, wanted))
        if hears_triggers(version):
            return _listening_app(read_listening(version.uri), listeners, hosts)
    except Unreachable as error:
        logging.getLogger(__name__).warning("%s; the server repeats the request until the registry answers", error)
    parts = Parts(limits, str(wanted), hosts)
    return build_app(parts, following(registry, wanted, engine=engine, poll_s=poll_s)), None


def _folder_app(folder: Path, listeners: int, hosts: "Hosts") -> tuple["FastAPI", int]:
    from thaw.models.listening.storage import read_trigger

    _prepare()
    return _listening_app((read_trigger(folder),), listeners, hosts)


def _listening_app(models: "tuple[TriggerModel, ...]", listeners: int, hosts: "Hosts") -> tuple["FastAPI", int]:
    """The application of triggers, and the most bytes of a message."""
    from flows.serving.streams.app import build_listening_app
    from flows.serving.streams.hall import StreamLimits

    limits = StreamLimits(listeners)
    return build_listening_app(models, limits, hosts), limits.message_bytes


def _prepare() -> None:
    """Log to standard error; every worker computes on a core of its own."""
    import logging
    import sys

    import torch

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    for own in ("flows", "tasks", "thaw"):
        logging.getLogger(own).setLevel(logging.INFO)
    torch.set_num_threads(1)
