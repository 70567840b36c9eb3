"""A small ELMo with random weights, in the files that its authors' program writes."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CELL, STATE, DIM, FILTERS, LONGEST = 7, 5, 3, ((1, 4), (3, 6)), 12
OPTIONS: dict[str, Any] = {
    "lstm": {
        "cell_clip": 0.4,
        "use_skip_connections": True,
        "n_layers": 2,
        "proj_clip": 0.3,
        "projection_dim": STATE,
        "dim": CELL,
    },
    "char_cnn": {
        "embedding": {"dim": DIM},
        "filters": FILTERS,
        "n_highway": 1,
        "n_characters": 262,
        "max_characters_per_token": LONGEST,
        "activation": "relu",
    },
}


def elmo_folder(folder: Path) -> Path:
    """Write `options.json` and `weights.hdf5`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "options.json").write_text(json.dumps(OPTIONS))
    chance = np.random.default_rng(0)
    total = sum(count for _, count in FILTERS)
    sizes: dict[str, tuple[int, ...]] = {
        "char_embed": (261, DIM),
        **{f"CNN/W_cnn_{number}": (1, width, DIM, count) for number, (width, count) in enumerate(FILTERS)},
        **{f"CNN/b_cnn_{number}": (count,) for number, (_, count) in enumerate(FILTERS)},
        **{f"CNN_high_0/W_{name}": (total, total) for name in ("carry", "transform")},
        **{f"CNN_high_0/b_{name}": (total,) for name in ("carry", "transform")},
        "CNN_proj/W_proj": (total, STATE),
        "CNN_proj/b_proj": (STATE,),
    }
    for direction in (0, 1):
        for layer in (0, 1):
            path = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            own = {"W_0": (2 * STATE, 4 * CELL), "B": (4 * CELL,), "W_P_0": (CELL, STATE)}
            sizes |= {f"{path}/{name}": size for name, size in own.items()}
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, size in sizes.items():
            file[name] = chance.normal(size=size).astype(np.float32)
    return folder
