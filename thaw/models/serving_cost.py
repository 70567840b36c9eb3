"""The time of an answer of the deployed model on this machine, and the size of its files: measured, and kept in `serving.json`."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record
from thaw.kinds.kind import Limits, Words

if TYPE_CHECKING:
    from thaw.models.prediction.reading import Model

BATCH = 32
ROUNDS = 5
ALONE = 20


@dataclass(frozen=True)
class ServingCost:
    """The cost of answers; times are medians. single_ms: milliseconds from the bytes of one example alone to its answer. batch_ms: for each in a batch of
    `batch`.

    megabytes: size of the model's files, in 10^6 bytes. threads: number of torch's threads, on the CPU.
    """

    single_ms: float
    batch_ms: float
    batch: int
    megabytes: float
    threads: int


_ADAPTER = TypeAdapter(ServingCost)


def measure_serving_cost(model: "Model", contents: Sequence[bytes], limits: Limits) -> ServingCost:
    """Time the model on example files, given as bytes and decoded in turn; there must be at least one, and the first `BATCH` are used.

    Raises:
        BadExample: a file cannot be decoded.
    """
    import torch

    files = contents[:BATCH]

    def answer(batch: Sequence[bytes]) -> None:
        model.predict([model.prepare(content, limits) for content in batch])

    answer(files)  # for warming up
    alone = [files[number % len(files)] for number in range(ALONE)]
    single = statistics.median(_ms(lambda content=content: answer([content])) for content in alone)  # type: ignore[misc]
    whole = statistics.median(_ms(lambda: answer(files)) for _ in range(ROUNDS))
    return ServingCost(single, whole / len(files), len(files), megabytes_of(model), torch.get_num_threads())


def megabytes_of(model: "Model") -> float:
    """The size of the deployed model's files, in MB (10^6 bytes); the files are written and counted."""
    with TemporaryDirectory() as folder:
        model.write(Path(folder) / "model")
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def write_serving_cost(cost: ServingCost, path: Path) -> None:
    """Write `serving.json`, atomically."""
    write_record(_ADAPTER, cost, path)


def read_serving_cost(path: Path) -> ServingCost:
    """Read the costs of `write_serving_cost`.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda _: f"{path} holds no costs of this version; run `thaw run --stage evaluate` to make it again",
    )


def _ms(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - started)


def facts_of(cost: ServingCost, words: Words) -> tuple[tuple[str, str], ...]:
    """The cost as names and values for people."""
    alone, batch = (
        f"{cost.single_ms:.2g} ms for one {words.one}",
        f"{cost.batch_ms:.2g} ms each in a batch of {cost.batch}",
    )
    threads = f"{cost.threads} thread{'s' if cost.threads > 1 else ''}"
    return (
        ("Latency", f"{alone}, {batch}; from bytes to answer, on the machine of the evaluation, {threads}"),
        ("Size", f"{cost.megabytes:.3g} MB"),
    )
