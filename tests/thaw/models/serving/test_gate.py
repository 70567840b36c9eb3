"""Networks run while others are read and traced, and none of them fails."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.models.serving.engines import choose_serving_engine
from thaw.models.serving.gate import TRACING, Gate
from thaw.params.sections import BackboneParams


def small() -> Backbone:
    with TRACING.closed():
        return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


def test_a_network_that_serves_does_not_notice_that_others_are_traced() -> None:
    pixels = torch.randint(0, 256, (MICRO_BATCH, 3, 32, 32), dtype=torch.uint8)
    backbone = small()
    engine = choose_serving_engine(backbone, "torch", pixels, workers=2)
    expected = engine.features(pixels)[backbone.layers[0]]
    done = threading.Event()

    def serve() -> int:
        rounds = 0
        while not done.is_set() or rounds < 5:
            assert torch.equal(engine.features(pixels)[backbone.layers[0]], expected)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(2) as pool:
        serving = [pool.submit(serve) for _ in range(2)]
        try:
            for _ in range(8):
                choose_serving_engine(small(), "torch", pixels, workers=2)
        finally:
            done.set()
        assert all(one.result() > 0 for one in serving)


def test_who_closes_is_alone_and_comes_before_who_wants_to_pass() -> None:
    gate, order, inside = Gate(), [], threading.Event()

    def close() -> None:
        with gate.closed():
            order.append("closed")

    def late() -> None:
        with gate.passing():
            order.append("late")

    with gate.passing(), gate.passing():
        closing = threading.Thread(target=close)
        closing.start()
        while gate._closing == 0:
            inside.wait(0.01)
        passing = threading.Thread(target=late)
        passing.start()
        inside.wait(0.1)
        assert order == []
    closing.join(30)
    passing.join(30)
    assert order == ["closed", "late"]
