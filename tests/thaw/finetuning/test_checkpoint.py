"""Checkpoints: what is read is what was written; a torn file is none."""

from pathlib import Path

import torch

from thaw.finetuning.checkpoint import State, load_optimiser, optimiser_tensors, read_state, write_state
from thaw.finetuning.result import Epoch


def state() -> State:
    shared = torch.randn(3, 4)
    return State(
        history=(Epoch(0, None, 0.9, 0.5, 1.0), Epoch(1, 0.7, 0.8, 0.6, 2.0)),
        best_epoch=1,
        model={"head.weight": shared},
        average={"head.weight": shared},
        best={"head.weight": shared.T},
        optimiser={"0/step": torch.tensor(4.0), "0/exp_avg": torch.ones(3)},
        logits=torch.zeros(0, 3),
    )


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written, path = state(), tmp_path / "state.safetensors"
    write_state(written, path)
    found = read_state(path)
    assert found is not None
    assert (found.history, found.best_epoch, found.epoch) == (written.history, 1, 1)
    for part in ("model", "average", "best", "optimiser"):
        old, new = getattr(written, part), getattr(found, part)
        assert old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)
    assert found.logits.shape == (0, 3)
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]


def test_no_file_and_a_torn_file_are_no_state(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    assert read_state(path) is None
    write_state(state(), path)
    whole = path.read_bytes()
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert read_state(path) is None


def test_an_optimiser_goes_on_where_it_was() -> None:
    def step(weights: torch.nn.Parameter, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        (weights**3).sum().backward()
        optimiser.step()

    one = torch.nn.Parameter(torch.arange(4.0))
    first = torch.optim.AdamW([one], lr=0.1)
    step(one, first)
    other = torch.nn.Parameter(one.detach().clone())
    second = torch.optim.AdamW([other], lr=0.1)
    load_optimiser(second, {name: tensor.clone() for name, tensor in optimiser_tensors(first).items()})
    step(one, first)
    step(other, second)
    assert torch.equal(one, other)
