"""The sampled loss is that of the softmax over all words, as far as noise words go."""

import numpy as np
import torch
import torch.nn.functional as F

from thaw.pretraining.texts.sampled_softmax import SampledSoftmax

COUNTS = (50, 30, 10, 5, 5)


def random_outputs(noise: int) -> SampledSoftmax:
    outputs = SampledSoftmax(COUNTS, 4, noise)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        outputs.words.weight.copy_(torch.randn(5, 4, generator=generator))
        outputs.bias.weight.copy_(torch.randn(5, 1, generator=generator))
    return outputs


def test_with_many_noise_words_it_is_the_softmax_over_all_words() -> None:
    outputs = random_outputs(100_000)
    states, targets = torch.randn(7, 4, generator=torch.Generator().manual_seed(1)), torch.arange(7) % 5
    logits = states @ outputs.words.weight.T + outputs.bias.weight[:, 0]
    found = outputs(states, targets, np.random.default_rng(0))
    torch.testing.assert_close(found, F.cross_entropy(logits, targets), atol=0.02, rtol=0)


def test_only_the_words_of_a_batch_and_its_noise_get_a_gradient() -> None:
    outputs = random_outputs(1)
    outputs(torch.ones(1, 4), torch.tensor([4]), np.random.default_rng(0)).backward()
    gradient = outputs.words.weight.grad
    assert gradient is not None and gradient.is_sparse and len(gradient.coalesce().indices()[0]) == 2


def test_the_same_chance_draws_the_same_noise() -> None:
    outputs, states, targets = random_outputs(3), torch.ones(2, 4), torch.tensor([0, 1])
    losses = [float(outputs(states, targets, np.random.default_rng(seed)).detach()) for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
