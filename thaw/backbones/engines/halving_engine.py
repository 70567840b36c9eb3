"""A wrapper of any engine that uses smaller batches for long examples, and after memory ran out."""

import logging
import threading

import torch

from thaw.backbones.engines.engine import Engine, Precision
from thaw.foundation.errors import OutOfMemory
from thaw.kinds.batches import Batch, rows_at_once, rows_in, split

log = logging.getLogger(__name__)

_CPU_ALLOCATOR = "can't allocate memory"


class HalvingEngine:
    """An engine that passes few long examples at once, halves the batch for all threads on each out-of-memory error, and continues."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._size: int | None = None

    @property
    def name(self) -> str:
        """See the wrapped engine."""
        return self._engine.name

    @property
    def precision(self) -> Precision:
        """See the wrapped engine."""
        return self._engine.precision

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Engine`.

        Raises:
            OutOfMemory: there is no room for a single example.
        """
        while True:
            size = min(self._size or rows_in(batch), rows_at_once(batch))
            try:
                parts = [self._engine.features(part) for part in split(batch, size)]
                return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
            except (RuntimeError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
            # This runs outside the handler, because the error's traceback holds the batch's memory.
            self._halve(min(size, rows_in(batch)))

    def _halve(self, failed: int) -> None:
        if failed == 1:
            raise OutOfMemory(
                "memory does not hold a single example in this backbone; set extract.workers=1, or free some memory"
            )
        with self._lock:
            # Another thread may have halved the size already.
            if self._size is None or self._size >= failed:
                self._size = failed // 2
                log.warning("memory ran out with %d examples at once; the run continues with %d", failed, self._size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _is_out_of_memory(error: RuntimeError | MemoryError) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _CPU_ALLOCATOR in str(error)
