"""ELMo's files: `options.json`, and `weights.hdf5` with the names and orders of the TensorFlow program that trained it, as AllenNLP reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.encoders.elmo import ACTIVATIONS, ElmoShape
from thaw.foundation.errors import BadParameters, BadWeights

_MAGIC = b"\x89HDF\r\n\x1a\n"
_IDS = 262
"""256 bytes, five marks, and the number of padding."""
_SHORTEST = 4
"""Numbers of a word: its two marks, and a character or two."""
_OPTIONS, _WEIGHTS = "options.json", "weights.hdf5"


@dataclass(frozen=True, eq=False)
class ElmoFiles:
    """options, weights: the two files of a network."""

    options: Path
    weights: Path


@dataclass(frozen=True, eq=False)
class ReadElmo:
    """A network. tensors: float32, by the names of `thaw.backbones.encoders.elmo.Elmo`, without the states before a text, the mix and a classifier. longest:
    numbers of a word."""

    shape: ElmoShape
    tensors: Mapping[str, Tensor]
    longest: int


def elmo_files(source: Path) -> ElmoFiles | None:
    """The files of a folder, or those around one of the two files; None: there are none of ELMo.

    Raises:
        BadWeights: the folder holds several networks, or one of the files is missing.
    """
    if source.is_file():
        return _around(source)
    weights = [path for path in sorted(source.glob(f"*{_WEIGHTS}")) if _is_hdf5(path)]
    if not weights:
        return None
    if len(weights) > 1:
        raise BadWeights(
            f"{source} holds {', '.join(path.name for path in weights)}; name one of these files instead of the folder"
        )
    return ElmoFiles(_options_beside(weights[0]), weights[0])


def _around(file: Path) -> ElmoFiles | None:
    if file.name.endswith(_OPTIONS):
        beginning = file.name.removesuffix(_OPTIONS)
        weights = [file.with_name(f"{beginning}{_WEIGHTS}"), *sorted(file.parent.glob(f"*{_WEIGHTS}"))]
        found = next((path for path in weights if path.is_file() and _is_hdf5(path)), None)
        return None if found is None else ElmoFiles(file, found)
    return ElmoFiles(_options_beside(file), file) if _is_hdf5(file) else None


def _options_beside(weights: Path) -> Path:
    names = (f"{weights.name.removesuffix(_WEIGHTS)}{_OPTIONS}", _OPTIONS)
    for name in names:
        if (found := weights.with_name(name)).is_file():
            return found
    raise BadWeights(
        f"{weights} is HDF5, which is read if it is ELMo's with its {_OPTIONS} beside it; fetch that file too, into {weights.parent}"
    )


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_elmo(files: ElmoFiles) -> ReadElmo:
    """Read a network.

    Raises:
        BadWeights: a file is damaged, they do not fit each other, or the network is of another kind.
        BadParameters: the package h5py is not installed.
    """
    options = _Options(files.options)
    shape = options.shape()
    arrays = _arrays(files.weights)
    return ReadElmo(
        shape, _Tensors(files.weights, arrays).of(shape), options.number("char_cnn", "max_characters_per_token")
    )


@dataclass(frozen=True)
class _Options:
    """The settings in `options.json`."""

    file: Path

    def shape(self) -> ElmoShape:
        """The network's sizes."""
        if (ids := self.number("char_cnn", "n_characters")) != _IDS:
            raise BadWeights(
                f"{self.file}: char_cnn.n_characters is {ids}; {_IDS} is read, which is what the options of a trained network state"
            )
        if (activation := self._value("char_cnn", "activation")) not in ACTIVATIONS:
            raise BadWeights(f"{self.file}: char_cnn.activation is {activation}; {' and '.join(ACTIVATIONS)} are read")
        if self.number("char_cnn", "max_characters_per_token") < _SHORTEST:
            raise BadWeights(f"{self.file}: char_cnn.max_characters_per_token is less than {_SHORTEST}")
        layers = self.number("lstm", "n_layers")
        if layers > 1 and self._value("lstm", "use_skip_connections") is not True:
            raise BadWeights(f"{self.file}: lstm.use_skip_connections is not true; only networks with them are read")
        return ElmoShape(
            ids=_IDS,
            dim=self.number("char_cnn", "embedding", "dim"),
            filters=self._filters(),
            activation=str(activation),
            highways=self.number("char_cnn", "n_highway"),
            layers=layers,
            cell=self.number("lstm", "dim"),
            state=self.number("lstm", "projection_dim"),
            limits=self._limits(),
        )

    def number(self, *names: str) -> int:
        """A setting that is a whole number."""
        value = self._value(*names)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise BadWeights(f"{self.file}: {'.'.join(names)} is {value}; a number from 1 on is needed")
        return value

    def _limits(self) -> tuple[float, float] | None:
        limits = [self._value("lstm", name) for name in ("cell_clip", "proj_clip")]
        if all(limit in (None, 0, False) for limit in limits):
            return None
        if not all(isinstance(limit, int | float) and 0 < limit < np.inf for limit in limits):
            raise BadWeights(
                f"{self.file}: lstm.cell_clip and proj_clip are {limits}; two positive numbers are read, or none"
            )
        return float(limits[0]), float(limits[1])

    def _filters(self) -> tuple[tuple[int, int], ...]:
        given = self._value("char_cnn", "filters")
        longest = self.number("char_cnn", "max_characters_per_token")
        try:
            filters = tuple((int(width), int(count)) for width, count in given)
        except (TypeError, ValueError):
            filters = ()
        if not filters or not all(0 < width <= longest and count > 0 for width, count in filters):
            raise BadWeights(
                f"{self.file}: char_cnn.filters is {given}; pairs of a width and a number of filters are needed"
            )
        return filters

    def _value(self, *names: str) -> Any:
        place: Any = self._content()
        for name in names:
            if not isinstance(place, dict) or name not in place:
                raise BadWeights(f"{self.file} has no {'.'.join(names)}, so it is not ELMo's, or of another version")
            place = place[name]
        return place

    def _content(self) -> Any:
        try:
            return json.loads(self.file.read_text("utf-8"))
        except ValueError as error:
            raise BadWeights(f"{self.file} is no JSON, or damaged ({error}); fetch it again") from error


def _arrays(file: Path) -> dict[str, NDArray[np.float32]]:
    """All arrays of an HDF5 file by their paths."""
    try:
        import h5py
    except ImportError as error:
        raise BadParameters(
            f"{file} is read by the package h5py, which is not installed; run `pip install 'thaw[texts]'`"
        ) from error
    arrays: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, place: Any) -> None:
        if isinstance(place, h5py.Dataset):
            arrays[name] = np.asarray(place[...], np.float32)

    try:
        with h5py.File(file, "r") as opened:
            opened.visititems(keep)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise BadWeights(f"{file} is damaged or cut short ({error}); fetch it again") from error
    return arrays


@dataclass(frozen=True, eq=False)
class _Tensors:
    """The arrays of `weights.hdf5`, by their paths."""

    file: Path
    arrays: Mapping[str, NDArray[np.float32]]

    def of(self, shape: ElmoShape) -> dict[str, Tensor]:
        """The tensors by our names."""
        total = sum(count for _, count in shape.filters)
        characters = self._array("char_embed", shape.ids - 1, shape.dim)
        named = {
            # The first row stands for no word at all.
            "characters.embedding.weight": np.concatenate([np.zeros((1, shape.dim), np.float32), characters]),
            "characters.projection.weight": self._array("CNN_proj/W_proj", total, shape.state).T,
            "characters.projection.bias": self._array("CNN_proj/b_proj", shape.state),
        }
        for number, (width, count) in enumerate(shape.filters):
            filters = self._array(f"CNN/W_cnn_{number}", 1, width, shape.dim, count)[0]
            named[f"characters.filters.{number}"] = filters.transpose(2, 1, 0)
            named[f"characters.biases.{number}"] = self._array(f"CNN/b_cnn_{number}", count)
        for number in range(shape.highways):
            for theirs, ours in (("transform", "transforms"), ("carry", "gates")):
                path, own = f"CNN_high_{number}", f"characters.highways.{ours}.{number}"
                named[f"{own}.weight"] = self._array(f"{path}/W_{theirs}", total, total).T
                named[f"{own}.bias"] = self._array(f"{path}/b_{theirs}", total)
        for number in range(shape.layers):
            named |= self._layer(number, shape)
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in named.items()}

    def _layer(self, number: int, shape: ElmoShape) -> dict[str, NDArray[np.float32]]:
        gates, own = 4 * shape.cell, f"recurrent.{number}.lstm"
        paths = [f"RNN_{direction}/RNN/MultiRNNCell/Cell{number}/LSTMCell" for direction in (0, 1)]
        weights = np.stack([_ordered(self._array(f"{path}/W_0", 2 * shape.state, gates)) for path in paths])
        biases = np.stack([_ordered(self._array(f"{path}/B", gates)) for path in paths])
        # TensorFlow adds 1 to the bias of the forget gate whenever it computes.
        biases[:, shape.cell : 2 * shape.cell] += 1
        projections = [self._array(f"{path}/W_P_0", shape.cell, shape.state) for path in paths]
        return {
            f"{own}.into": weights[:, : shape.state],
            f"{own}.between": weights[:, shape.state :],
            f"{own}.bias": biases,
            f"{own}.project": np.stack(projections),
        }

    def _array(self, path: str, *sizes: int) -> NDArray[np.float32]:
        if (array := self.arrays.get(path)) is None:
            raise BadWeights(
                f"{self.file} has no `{path}`, so it is not ELMo's, or its {_OPTIONS} is another network's"
            )
        if array.shape != sizes:
            raise BadWeights(
                f"{self.file}: `{path}` is {array.shape}, and its {_OPTIONS} states {sizes}; fetch both again"
            )
        return array


def _ordered(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in the order input, forget, candidate, output; TensorFlow's is input, candidate, forget, output. gates: float32 [..., 4 H]."""
    entering, candidate, forgetting, leaving = np.split(gates, 4, -1)
    return np.concatenate([entering, forgetting, candidate, leaving], -1)
