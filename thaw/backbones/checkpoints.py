"""PyTorch's checkpoints as programs write them: tensors inside wrappers, beside settings, or inside a whole model; no code of the file runs.

torch.load stays at `weights_only=True`. A class that the file names is neither imported nor called: a stand-in of this module takes its place and keeps its
state, so hyperparameters of Lightning or OmegaConf beside the tensors do no harm.
"""

import argparse
import pickletools
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import torch

from thaw.backbones.old_modules import without_sources

WRAPPERS = ("state_dict", "model", "model_state_dict", "module", "net", "network", "weights", "params", "teacher", "student",
            "model_ema", "state_dict_ema", "ema", "ema_state_dict")  # fmt: skip
"""Names under which programs keep a model's tensors; of several the earliest here counts."""
_NO_MODELS = ("optim", "sched", "scaler", "callback", "loop", "hyper", "hparam", "args", "config")
_RUNS_CODE = frozenset(
    ("os", "posix", "nt", "sys", "subprocess", "pty", "socket", "shutil", "runpy", "importlib", "ctypes", "pickle")
)
"""Modules whose functions reach outside of the process."""
_CLASSES = (set, frozenset, complex, bytearray, list, dict, tuple, int, float, str, bool, slice, range, object)
_PLAIN_BUILTINS: Mapping[str, type] = {each.__name__: each for each in _CLASSES}
"""Classes without effects, which are loaded themselves."""
_MODERN = {"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections"}
_RENAMED = re.compile(rf"^({'|'.join(_MODERN)})(?= )")
"""Modules of Python 2, whose names pickles of protocol 2 have."""
_DICTIONARIES = ("dict", "box", "munch", "cfgnode")
"""The ends of names of classes that are dictionaries."""


class NoTensors(ValueError):
    """A file that can be read holds no tensors by name; the reason is the end of a sentence."""


class UnsafeCheckpoint(ValueError):
    """A checkpoint names functions that run code."""


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and notes on what was chosen and left out."""

    tensors: Mapping[str, torch.Tensor]
    notes: tuple[str, ...] = ()


class StandIn:
    """An object of a class that is not loaded; `state` is what its pickle held, `origin` the name of the class."""

    origin: ClassVar[str] = ""
    state: object = None

    def __new__(cls, *args: object, **named: object) -> "StandIn":
        return object.__new__(cls)

    def __init__(self, *args: object, **named: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state


class StandInDictionary:
    """The place of a class that is a dictionary: its objects are plain ordered dictionaries."""

    def __new__(cls, *args: object, **named: object) -> "OrderedDict[Any, Any]":  # type: ignore[misc]  # the unpickler takes it
        return OrderedDict()


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors of a checkpoint, in torch's zip format or its older one.

    Raises:
        UnsafeCheckpoint: it names functions that run code.
        NoTensors: it holds no tensors by name.
        pickle.UnpicklingError, RuntimeError, ValueError, EOFError, OSError: torch cannot read it.
    """
    stand_ins = [_stand_in(name) for name in sorted(_foreign_names(path))]
    allowed = torch.serialization.safe_globals([argparse.Namespace, *stand_ins])
    rewritten = None if zipfile.is_zipfile(path) else without_sources(path)
    with (
        warnings.catch_warnings(),
        allowed,
        rewritten or path.open("rb") as file,
    ):  # of a path torch would believe the ending
        warnings.simplefilter("ignore")  # torch warns of other pickle protocols, which it reads
        content = torch.load(file, map_location="cpu", weights_only=True)
    return _unwrapped(content)


def _foreign_names(path: Path) -> frozenset[str]:
    """The classes and functions that the file names and that torch does not load by itself.

    Raises:
        UnsafeCheckpoint: a function among them runs code.
        NoTensors: it is a program of TorchScript, or another archive.
    """
    named = frozenset(_named_in_zip(path) if zipfile.is_zipfile(path) else _named_in_old_format(path))
    unsafe = sorted(full for full in named if _may_run_code(full))
    if unsafe:
        raise UnsafeCheckpoint(f"names {unsafe[0]}, which can run code")
    return frozenset(full for full in named if not full.startswith(("torch._utils.", "torch._tensor.")))


def _named_in_zip(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            raise NoTensors("is a TorchScript program; save the `state_dict()` of the model that it was made from")
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if not pickles:
            raise NoTensors("is a ZIP archive of other files; unpack it, and give the file of weights in it")
        for name in pickles:
            yield from _named(archive.read(name))


def _named_in_old_format(path: Path) -> Iterator[str]:
    """The names in the pickles at the beginning: a magic number, a version, the machine, the content; the tensors' numbers follow."""
    with path.open("rb") as file:
        for _ in range(4):
            yield from _named(file)


def _named(pickled: bytes | IO[bytes]) -> Iterator[str]:
    """The full names of all globals in a pickle, which is parsed and not run; old names of Python's modules are replaced.

    Raises:
        ValueError: it is no pickle.
    """
    strings: list[str] = []
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name == "GLOBAL":
            yield _RENAMED.sub(lambda old: _MODERN[old[0]], str(argument)).replace(" ", ".", 1)
        elif operation.name == "STACK_GLOBAL":
            yield ".".join(strings[-2:])
        elif isinstance(argument, str):
            strings.append(argument)


def _may_run_code(full: str) -> bool:
    module, _, name = full.rpartition(".")
    if module == "builtins":
        return name not in _PLAIN_BUILTINS
    return module.partition(".")[0] in _RUNS_CODE


def _stand_in(full: str) -> tuple[Callable[..., object], str]:
    module, _, name = full.rpartition(".")
    if module == "builtins":
        return _PLAIN_BUILTINS[name], full
    base: type = StandInDictionary if full.lower().endswith(_DICTIONARIES) else StandIn
    return type(base.__name__, (base,), {"origin": full}), full


def _unwrapped(content: object) -> Checkpoint:
    """The tensors below the wrappers, with notes on other models that lie beside them."""
    notes: list[str] = []
    place = content
    while not _holds_tensors(place) and (inner := _inner(place)) is not None:
        chosen, others = inner
        if others:
            notes.append(f"`{chosen}` is used; {_listed(others)} beside it {'is' if len(others) == 1 else 'are'} not")
        place = _items(place)[chosen]
    tensors = {str(name): value for name, value in _items(place).items() if isinstance(value, torch.Tensor)}
    if not tensors and isinstance(content, StandIn):
        raise NoTensors(f"holds an object of the class {content.origin}; save the `state_dict()` of the model")
    if not tensors and not isinstance(content, Mapping):
        raise NoTensors("holds no dictionary of tensors; save the model's `state_dict()`")
    return Checkpoint(tensors, tuple(notes))


def _holds_tensors(place: object) -> bool:
    items = _items(place)
    wrapped = any(_has_tensors(items.get(name)) for name in WRAPPERS[:2])  # others may be parts of the network itself
    return not wrapped and any(isinstance(value, torch.Tensor) for value in items.values())


def _inner(place: object) -> tuple[str, list[str]] | None:
    """The name of the wrapper to look into, and the names of others that hold models too; None: there is none."""
    holders = [str(name) for name, value in _items(place).items() if _has_tensors(value)]
    models = [name for name in holders if not name.lower().startswith(_NO_MODELS)]
    if not models:
        return None
    chosen = min(models, key=lambda name: WRAPPERS.index(name) if name in WRAPPERS else len(WRAPPERS))
    return chosen, [name for name in models if name != chosen]


def _has_tensors(value: object, depth: int = 0) -> bool:
    items = _items(value)
    return any(
        isinstance(each, torch.Tensor) or (depth < 3 and _has_tensors(each, depth + 1)) for each in items.values()
    )


def _items(value: object) -> Mapping[Any, Any]:
    """The entries of a dictionary, or the tensors of a whole model; else none."""
    if isinstance(value, StandIn):
        return dict(_tensors_of_model(value))
    return value if isinstance(value, Mapping) else {}


def _tensors_of_model(module: StandIn, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters and buffers of a pickled module and of the modules in it, by their names in its `state_dict`."""
    state = module.state if isinstance(module.state, Mapping) else {}
    passing = state.get("_non_persistent_buffers_set")
    for kept in ("_parameters", "_buffers"):
        for own, tensor in _entries(state, kept):
            if isinstance(tensor, torch.Tensor) and not (isinstance(passing, set) and own in passing):
                yield f"{name}{own}", tensor
    for child, inner in _entries(state, "_modules"):
        if isinstance(inner, StandIn):
            yield from _tensors_of_model(inner, f"{name}{child}.")


def _entries(state: Mapping[Any, Any], name: str) -> list[tuple[Any, Any]]:
    entries = state.get(name)
    return list(entries.items()) if isinstance(entries, Mapping) else []


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
