"""Networks whose weights are not drawn, because a file's weights take their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset({"normal_", "uniform_", "trunc_normal_", "erfinv_", "exponential_"})


class Undrawn(TorchFunctionMode):
    """A context in which zeros stand for random numbers: a network is built several times faster, and its buffers are computed as ever.

    Numbers that were left as they are in memory would not do: torch draws truncated normals again until all of them lie between two bounds.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `TorchFunctionMode`."""
        if getattr(func, "__name__", "") in _DRAWS:
            tensor: torch.Tensor = args[0] if args else (kwargs or {})["tensor"]
            with torch.no_grad():
                return tensor.zero_()
        return func(*args, **(kwargs or {}))
