"""The head as a layer: the same numbers as the head it came from, and back again."""

import math

import torch
from digit_images import digit_images, embedded, features_of, start_on

from thaw.finetuning.head_layer import HeadLayer, new_head


def test_it_gives_the_heads_own_logits_and_comes_back_as_the_same_head() -> None:
    images = digit_images(0, 40)
    head, rows = start_on(images).head.model, features_of(embedded(), images).features
    layer = HeadLayer(head)
    assert torch.equal(layer(rows), head.logits(rows))
    again = layer.model()
    assert torch.equal(again.logits(rows), head.logits(rows))
    assert not again.weights.requires_grad


def test_it_computes_in_float32_under_autocast() -> None:
    head = start_on(digit_images(0, 40)).head.model
    rows = features_of(embedded(), digit_images(0, 40)).features
    with torch.autocast("cpu", torch.bfloat16):
        found = HeadLayer(head)(rows)
    assert torch.equal(found, head.logits(rows))


def test_a_new_head_prefers_no_class_and_holds_no_value_back() -> None:
    model = new_head(4, 3)
    assert torch.equal(model.logits(torch.randn(2, 4)), torch.zeros(2, 3))
    assert model.standardisation.limit == math.inf
    assert torch.equal(model.standardisation.apply(torch.full((1, 4), 1e6)), torch.full((1, 4), 1e6))
