"""The learning rate of each parameter: lower for deeper layers, and later if layers are thawed one by one."""

from dataclasses import dataclass

from torch import nn

from thaw.finetuning.network import Network
from thaw.finetuning.schedule import cosine_factor
from thaw.params.sections import FinetuneParams


@dataclass(frozen=True, eq=False)
class Group:
    """Parameters with the same learning rate. depth: 0 is the head, 1 the last block. rate: the peak of the learning rate."""

    depth: int
    rate: float
    weight_decay: float
    parameters: tuple[nn.Parameter, ...]


def groups_of(network: Network, params: FinetuneParams) -> tuple[Group, ...]:
    """The trained parameters by depth; vectors (biases, and scales of normalisation) have no weight decay.

    Each block learns `layer_decay` times as fast as the block above it: Clark et al., "ELECTRA", ICLR 2020, appendix B.
    """
    members: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for depth, _, parameter in network.trained():
        members.setdefault((depth, parameter.dim() > 1), []).append(parameter)
    return tuple(
        Group(
            depth,
            params.learning_rate * params.layer_decay**depth,
            params.weight_decay if decays else 0.0,
            tuple(parameters),
        )
        for (depth, decays), parameters in sorted(members.items(), key=lambda item: item[0])
    )


def rate_at(group: Group, step: int, steps: int, *, epoch: int, params: FinetuneParams) -> float:
    """The learning rate of a group at a step of `steps`; epochs count from 1.

    With `gradual` the head learns in the first epoch, and one more block in each later epoch: Howard and Ruder, "ULMFiT", ACL 2018, section 3.3.
    """
    if params.gradual and group.depth >= epoch:
        return 0.0
    return group.rate * cosine_factor(step, steps, params.warmup)
