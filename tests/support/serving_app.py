"""The application on a real server on loopback, with a model of digits on its desk and no registry."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from openness_rows import pictures, predictor_on_digits
from PIL import Image

from flows.serving.app import Background, Parts, build_app
from flows.serving.hosts import Hosts
from flows.serving.limits import Limits
from flows.serving.live import Live
from flows.serving.server import address_of, listen
from tasks.registry.registry import ModelVersion
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.kind import Limits as ExampleLimits
from thaw.kinds.kind import Preview
from thaw.models.gallery import Gallery
from thaw.models.prediction.predictor import Predictor
from thaw.models.serving.classifier import Classifier, build_classifier

LIMITS = ExampleLimits(10**6)
VERSION = ModelVersion("digits", 7, ("champion",), datetime(2026, 1, 2, tzinfo=UTC), "run", "models:/m-1", {"thaw.strategy": "linear"})  # fmt: skip


@dataclass(frozen=True)
class Served:
    """A server: its address, what it is made of, and the loop in which it runs."""

    address: str
    parts: Parts
    loop: asyncio.AbstractEventLoop


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def digit_files(count: int) -> list[bytes]:
    """Handwritten digits 0 to 2, and crosses, in turn, as PNG files."""
    return [png(one) for one in pictures(0, count)]


def digit_gallery(predictor: Predictor, count: int = 12) -> Gallery:
    """Digits among training images; the labels are what the model says of them."""
    files = digit_files(count)[::2]
    pixels = [predictor.prepare(file, ExampleLimits(10**6)) for file in files]
    import torch

    features = predictor.backbone.features(torch.stack(pixels))[predictor.layer].clone()
    labels = tuple((str(label),) for label in predictor.predict(pixels).labels)
    digests = tuple(digest_bytes(file) for file in files)
    paths = tuple(f"train/{number}.png" for number in range(count))
    return Gallery(
        "f" * 32, predictor.layer, digests, paths, labels, features, tuple(Preview("image/png", file) for file in files)
    )


def classifier_of(predictor: Predictor, gallery: Gallery | None = None, limits: ExampleLimits = LIMITS) -> Classifier:
    return build_classifier(predictor, gallery, engine="torch", limits=limits, workers=2)


def desk_with(classifier: Classifier | None, version: ModelVersion = VERSION) -> Background:
    """Puts one model onto the desk, or none."""

    @asynccontextmanager
    async def background(parts: Parts) -> AsyncIterator[None]:
        if classifier is not None:
            parts.desk.put(Live(version, classifier, parts.limits, parts.metrics))
        yield

    return background


@contextmanager
def served(background: Background, limits: Limits | None = None, hosts: Hosts = Hosts()) -> Iterator[Served]:  # noqa: B008  # frozen
    """The application on a free port until the end."""
    parts = Parts(limits or Limits(example=ExampleLimits(10**6)), "models:/digits@champion", hosts)
    with running(build_app(parts, background)) as (address, loop):
        yield Served(address, parts, loop)


@contextmanager
def running(app: FastAPI, **settings: Any) -> Iterator[tuple[str, asyncio.AbstractEventLoop]]:
    """An application on a free port until the end: its address, and its loop. settings: of uvicorn."""
    with listen("127.0.0.1", 0) as bound, ThreadPoolExecutor(1) as pool:
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=20, **settings)
        server, loops, started = uvicorn.Server(config), [], threading.Event()

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            started.set()
            await server.serve(sockets=[bound])

        running = pool.submit(asyncio.run, serve())
        try:
            assert started.wait(30)
            while not server.started and not running.done():
                threading.Event().wait(0.01)
            yield address_of(bound), loops[0]
        finally:
            server.should_exit = True
            running.result(timeout=60)


def plain_classifier() -> Classifier:
    """Of the digits 0 to 2, with a gallery."""
    predictor = predictor_on_digits()
    return classifier_of(predictor, digit_gallery(predictor))
