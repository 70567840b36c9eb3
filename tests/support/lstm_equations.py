"""Long short-term memory by its equations, one text and one step at a time."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-values)))


def states(
    inputs: Array,
    into: Array,
    between: Array,
    bias: Array,
    *,
    project: Array | None = None,
    limits: tuple[float, float] = (np.inf, np.inf),
    begin: tuple[Array, Array] | None = None,
) -> Array:
    """The outputs of all steps, [T, S]. inputs: [T, D]. into: [4 H, D]; between: [4 H, S]; bias: [4 H], in torch's order of gates. project: [S, H]."""
    cell = np.zeros(len(bias) // 4) if begin is None else begin[1]
    hidden = np.zeros(between.shape[1]) if begin is None else begin[0]
    outputs = []
    for row in inputs:
        entering, forgetting, candidate, leaving = np.split(into @ row + between @ hidden + bias, 4)
        cell = sigmoid(forgetting) * cell + sigmoid(entering) * np.tanh(candidate)
        cell = np.clip(cell, -limits[0], limits[0])
        hidden = sigmoid(leaving) * np.tanh(cell)
        hidden = np.clip(hidden if project is None else project @ hidden, -limits[1], limits[1])
        outputs.append(hidden)
    return np.array(outputs).reshape(len(inputs), between.shape[1])
