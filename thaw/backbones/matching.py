"""The tensors of a file beside those of an architecture: what fits after prefixes are taken off, what is left out, what differs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch

from thaw.backbones.outline import COUNTER, Fitted, Misfit, Outline

_MEASURED = (".total_ops", ".total_params", "total_ops", "total_params")
"""Buffers that programs which count operations leave behind."""
_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""Modules that torch.compile, FSDP and checkpointing put around others, at any depth; no architecture has such names."""
_PREFIXES_TRIED = 24
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class _Spelling:
    """One way in which files spell an architecture's names; `names`: the file's name, without its prefix, by the architecture's."""

    names: Mapping[str, str]
    note: str = ""
    numbered: bool = False


@dataclass(frozen=True, eq=False)
class _Attempt:
    """The result of one spelling with one prefix: the file's names by the architecture's, and what does not agree."""

    spelling: _Spelling
    prefix: str
    found: Mapping[str, str]
    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]

    @property
    def agreeing(self) -> int:
        return len(self.found) - len(self.wrong)


def match(outline: Outline, given: Mapping[str, torch.Tensor]) -> Fitted | Misfit:
    """The file's tensors under the architecture's names, or the differences.

    A file may lack the classifier or have another one, lack counters, have one channel where the first layer takes several, and hold further tensors outside
    the network; a tensor that belongs inside a part of the network is never left out.
    """
    if is_exact(outline, given):
        return Fitted(outline.architecture, given)
    plain = {unwrapped(name): name for name in given}
    attempts = [
        _attempt(outline, spelling, prefix, plain, given)
        for spelling in _spellings(outline)
        for prefix in _prefixes(spelling, outline, plain)
    ]
    best = max(attempts, key=lambda each: (each.agreeing, -len(each.surplus)), default=None)
    if best is None:
        return Misfit(outline.architecture, 0.0, tuple(f"`{name}` is missing in the file" for name in outline.trunk))
    if best.wrong or best.missing or best.surplus:
        return _misfit(outline, best, given)
    return _fitted(outline, best, given)


def is_exact(outline: Outline, given: Mapping[str, torch.Tensor]) -> bool:
    """Whether names and shapes are equal, except for the number of classes, the first dimension of the classifier's tensors."""
    own = outline.tensors
    return own.keys() == given.keys() and all(
        own[name].shape[_rows(outline, name) :] == given[name].shape[_rows(outline, name) :]
        and (given[name].is_floating_point() or not own[name].is_floating_point())
        for name in own
    )


def _rows(outline: Outline, name: str) -> int:
    """The number of leading dimensions that depend on the number of classes."""
    return int(name.startswith(f"{outline.classifier}.") or name.lower().startswith("aux"))


def unwrapped(name: str) -> str:
    """A tensor's name without the modules that torch puts around others."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def _spellings(outline: Outline) -> Iterator[_Spelling]:
    """The architecture's own names; those of `nn.Sequential(*model.children())`; those of its only large module alone."""
    yield _Spelling({name: name for name in outline.tensors})
    number = {child: str(place) for place, child in enumerate(outline.children)}
    tops = {name.partition(".")[0] for name in outline.trunk}
    if tops <= number.keys():
        names = {
            name: ".".join([number[top], *rest])
            for name, (top, *rest) in ((name, name.split(".")) for name in outline.tensors)
            if top in number
        }
        yield _Spelling(names, f"its parts are numbered, and were named as in {outline.architecture}")
    if len(tops) == 1 and (top := f"{next(iter(tops))}.") != outline.head:
        names = {name: name.removeprefix(top) for name in outline.tensors if name.startswith(top)}
        yield _Spelling(names, f"it holds the part `{top[:-1]}` of {outline.architecture} alone", numbered=True)


def _prefixes(spelling: _Spelling, outline: Outline, given: Mapping[str, str]) -> list[str]:
    """What may stand before every name: whatever stands before the first or the last name of the network."""
    trunk = [spelling.names[name] for name in outline.trunk if name in spelling.names]
    ends = tuple(dict.fromkeys([trunk[0], trunk[-1]])) if trunk else ()
    found = {
        name[: -len(end)]
        for end in ends
        for name in given
        if name.endswith(end) and (name == end or name[: -len(end)].endswith("."))
    }
    order = {name: place for place, name in enumerate(given)}
    firsts = {
        prefix: min((order[prefix + end] for end in ends if prefix + end in order), default=len(order))
        for prefix in found
    }
    return sorted(found, key=lambda prefix: (prefix.count("."), firsts[prefix]))[:_PREFIXES_TRIED]


def _attempt(
    outline: Outline, spelling: _Spelling, prefix: str, plain: Mapping[str, str], given: Mapping[str, torch.Tensor]
) -> _Attempt:
    found = {own: plain[prefix + name] for own, name in spelling.names.items() if prefix + name in plain}
    trunk = outline.trunk
    first = _first_layer(outline)
    wrong = tuple(own for own in trunk if own in found and not _agrees(outline, own, given[found[own]], first=first))
    missing = tuple(own for own in trunk if own not in found)
    return _Attempt(
        spelling, prefix, found, wrong, missing, tuple(_surplus(outline, spelling, prefix, plain, found.values()))
    )


def _surplus(
    outline: Outline, spelling: _Spelling, prefix: str, plain: Mapping[str, str], used: Iterable[str]
) -> Iterator[str]:
    """The file's tensors inside parts of the network that the architecture has not: the file is of another network."""
    parts = {spelling.names[name].partition(".")[0] for name in outline.trunk if name in spelling.names}
    taken = frozenset(used)
    for name, full in plain.items():
        rest = name.removeprefix(prefix)
        if not name.startswith(prefix) or full in taken or rest.endswith((COUNTER, *_MEASURED)):
            continue
        top = rest.partition(".")[0]
        if top in parts or (spelling.numbered and top.isdigit()):
            yield full


def _first_layer(outline: Outline) -> str | None:
    """The first tensor of a convolution, whose second dimension is the number of channels of the input."""
    return next((name for name in outline.trunk if name.endswith("weight") and outline.tensors[name].dim() > 2), None)


def _agrees(outline: Outline, name: str, given: torch.Tensor, *, first: str | None) -> bool:
    own = outline.tensors[name]
    if own.is_floating_point() and not given.is_floating_point():
        return False
    return own.shape == given.shape or (name == first and _is_one_channel(own, given))


def _is_one_channel(own: torch.Tensor, given: torch.Tensor) -> bool:
    return own.shape[1] > 1 and given.shape == (own.shape[0], 1, *own.shape[2:])


def _misfit(outline: Outline, best: _Attempt, given: Mapping[str, torch.Tensor]) -> Misfit:
    trunk = outline.trunk
    agreeing = len(trunk) - len(best.missing) - len(best.wrong) / 2  # the same name counts for something
    place = {name: number for number, name in enumerate(trunk)}
    differing = sorted((*best.missing, *best.wrong), key=place.__getitem__)
    differences = [_difference(outline, name, best, given) for name in differing]
    differences += [f"`{name}` of the file has no place" for name in best.surplus]
    return Misfit(outline.architecture, agreeing / (len(trunk) + len(best.surplus)), tuple(differences))


def _difference(outline: Outline, name: str, best: _Attempt, given: Mapping[str, torch.Tensor]) -> str:
    if name not in best.found:
        return f"`{name}` is missing in the file"
    own, other = outline.tensors[name], given[best.found[name]]
    if own.is_floating_point() and not other.is_floating_point():
        return f"`{name}` holds numbers of the type {str(other.dtype).removeprefix('torch.')}"
    return f"`{name}` has the shape {_shape(other)}, not {_shape(own)}"


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "of one number"


def _fitted(outline: Outline, best: _Attempt, given: Mapping[str, torch.Tensor]) -> Fitted:
    found = {own: given[name] for own, name in best.found.items()}
    classes = _classes(outline, found)
    first = _first_layer(outline)
    tensors, blank, spread = dict[str, torch.Tensor](), set[str](), ""
    for name, own in outline.tensors.items():
        shape = (
            (classes, *own.shape[1:])
            if _rows(outline, name) and own.dim() and _is_of_classes(outline, own)
            else own.shape
        )
        tensor = found.get(name)
        if tensor is not None and tensor.shape == shape and (tensor.is_floating_point() or not own.is_floating_point()):
            tensors[name] = tensor
        elif tensor is not None and name == first:
            tensors[name], spread = tensor.expand(own.shape) / own.shape[1], f"{name} {own.shape[1]}"
        else:
            tensors[name] = torch.zeros(shape, dtype=own.dtype)
            blank.add(name)
    used = {best.found[name] for name in tensors.keys() - blank if name in best.found}
    dropped = [name for name in given if name not in used and not name.endswith(COUNTER)]
    return Fitted(outline.architecture, tensors, frozenset(blank), tuple(_notes(best, spread, dropped, blank)))


def _is_of_classes(outline: Outline, own: torch.Tensor) -> bool:
    return own.shape[0] == outline.tensors[f"{outline.classifier}.weight"].shape[0]


def _classes(outline: Outline, found: Mapping[str, torch.Tensor]) -> int:
    """The number of classes of the file's classifier; the architecture's own number if the file has none that fits."""
    name = f"{outline.classifier}.weight"
    own, given = outline.tensors[name], found.get(name)
    fits = given is not None and given.dim() == own.dim() and given.shape[1:] == own.shape[1:]
    return int(given.shape[0]) if given is not None and fits else int(own.shape[0])


def _notes(best: _Attempt, spread: str, dropped: list[str], blank: set[str]) -> Iterator[str]:
    if best.prefix:
        yield f"the names begin with `{best.prefix}`, which was taken off"
    if best.spelling.note:
        yield best.spelling.note
    if spread:
        name, channels = spread.split(" ")
        yield f"`{name}` takes one channel; it was spread evenly over {channels}"
    if dropped:
        yield f"{_listed(dropped)} {_are(dropped)} left out"
    if lacking := sorted(name for name in blank if not name.endswith(COUNTER)):
        yield f"{_listed(lacking)} {_are(lacking)} not in the file, and zero here"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
