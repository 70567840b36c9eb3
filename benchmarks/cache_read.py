"""Claim: reading cached features is within 2 times of memcpy, and at least 8 times as fast as FixedSizeList Parquet.

    python benchmarks/cache_read.py [--quick]

100,000 x 512 float32 (205 MB) into one tensor, from files in the page cache. Ours is `FeatureStore.read` in the order of the
manifest; the references are a memcpy of the same bytes into fresh memory (the faster of
torch's, on all cores, and NumPy's, with huge pages) and one FixedSizeList<float> column of the same rows, as pyarrow
writes it by default; and, printed without a claim, the same column uncompressed and without a dictionary, its best case.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.files.atomic import digest_bytes

DIM = 512
PART_ROWS = 2048


def main() -> None:
    """Write both layouts, read them in turns, print the medians and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds")
    rounds = 5 if parser.parse_args().quick else 25
    rows = 100_000
    features = torch.randn(rows, DIM, generator=torch.Generator().manual_seed(0))
    digests = [digest_bytes(i.to_bytes(8, "little")) for i in range(rows)]
    with tempfile.TemporaryDirectory() as folder:
        store, layer = FeatureStore(Path(folder)), Layer("benchmark", "layer", DIM)
        for start in range(0, rows, PART_ROWS):
            block = slice(start, start + PART_ROWS)
            store.write(layer, digests[block], features[block], {})
        listed, plain = Path(folder) / "list.parquet", Path(folder) / "plain.parquet"
        lists = pa.FixedSizeListArray.from_arrays(pa.array(features.numpy().reshape(-1)), DIM)
        pq.write_table(pa.table({"feature": lists}), listed)
        pq.write_table(pa.table({"feature": lists}), plain, compression="none", use_dictionary=False)

        def ours() -> torch.Tensor:
            return store.read(layer.fingerprint, layer.name, digests)

        assert torch.equal(ours(), features) and np.array_equal(_read_lists(listed), features.numpy())
        contenders = {
            "ours": ours,
            "memcpy torch": features.clone,
            "memcpy numpy": features.numpy().copy,
            "list": lambda: _read_lists(listed),
            "plain list": lambda: _read_lists(plain),
        }
        seconds = _interleaved(contenders, rounds)
    for name, taken in seconds.items():
        print(f"{name:12} {taken * 1e3:8.1f} ms   {features.nbytes / taken / 1e9:6.2f} GB/s")
    memcpy = min(seconds["memcpy torch"], seconds["memcpy numpy"])
    _claim("cache read as a share of memcpy, 100k x 512 float32", seconds["ours"], memcpy, goal=0.5)
    _claim(
        "cache read against FixedSizeList Parquet, 100k x 512 float32",
        seconds["ours"],
        seconds["list"],
        goal=8,
    )


def _read_lists(path: Path) -> "np.ndarray[Any, Any]":
    column = pq.read_table(path, memory_map=True)["feature"].combine_chunks()
    return column.flatten().to_numpy().reshape(-1, DIM)


def _interleaved(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a slow spell hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, read in contenders.items():
            start = time.perf_counter()
            read()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def _claim(claim: str, ours: float, reference: float, *, goal: float) -> None:
    print(json.dumps({"claim": claim, "ours": ours, "reference": reference, "ratio": reference / ours, "goal": goal}))


if __name__ == "__main__":
    main()
