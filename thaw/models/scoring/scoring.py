"""The scoring of a stream of examples: in parts that outlive a kill, and at the end in one table."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
from blake3 import blake3

from thaw.foundation.files.atomic import sync
from thaw.foundation.parallel.progress import Progress, following, untold
from thaw.models.prediction.answer import answer
from thaw.models.prediction.predictor import Predictor
from thaw.models.scoring.featuring import Featuring
from thaw.models.scoring.inputs import Inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.table import ScoredBy, build_table, read_part, write_part, write_scores

HELD_BYTES = 64 * 2**20
"""A part ends when the texts of its rows reach this size together; this bounds the memory for long texts."""
_WHOLE = "whole.parquet"


@dataclass(frozen=True)
class Scored:
    """The result of a run. kind: its name. labels: the number of examples with each label, `neither` included, the most frequent first; with sets an example
    counts for each of its labels. rejected: number of unusable examples. computed: number of examples that went through the network in this run. answers: the
    columns that the model fills beside the probabilities.
    """

    path: Path
    kind: str
    examples: int
    rejected: int
    computed: int
    labels: dict[str, int]
    answers: tuple[str, ...]
    by: ScoredBy


class Scorer:
    """A model that is ready to score: known features are looked up, new ones are computed and kept."""

    def __init__(self, predictor: Predictor, featuring: Featuring) -> None:
        """featuring: of the model's backbone."""
        self._predictor, self._featuring = predictor, featuring

    @property
    def computed(self) -> int:
        """The number of examples that went through the network."""
        return self._featuring.computed

    @property
    def kind(self) -> str:
        """The name of the kind that the model takes."""
        return self._predictor.backbone.kind.name

    @property
    def answers(self) -> tuple[str, ...]:
        """The columns that this model fills beside the probabilities."""
        return self._predictor.answers

    def score(self, inputs: Sequence[Input], left: int, tell: Callable[[int], None]) -> pa.Table:
        """The rows of some examples, in order. New features are in the store before the method returns.

        left: the number of examples from these on. tell: called with the number of these that have been read.

        Raises:
            Unreachable: the place of an example does not answer.
            BadParameters, OutOfMemory: see `Forward.features_of`.
        """
        judged = self._featuring.bring(inputs, left, tell)
        usable = [row.digest for row in judged if row.digest is not None and not row.reason]
        model = self._predictor
        answered = answer(model.head, model.openness, self._featuring.read(usable)) if usable else None
        return build_table(judged, answered)


def parts_of(output: Path) -> Path:
    """The folder beside a table that has its parts until the table is whole."""
    return output.with_name(f".{output.stem}.parts")


def score_all(
    inputs: Inputs, scorer: Scorer, by: ScoredBy, output: Path, *, key: str, part_rows: int, progress: Progress = untold
) -> Scored:
    """Score all inputs, and write the table to `output`, atomically.

    Each `part_rows` examples, or fewer long ones, become a part, named after the model (`key`) and the examples' names and stamps. After a kill another run
    finds the existing parts and does not read their examples again. Only one run at a time may write to the same `output`.

    Raises:
        BadSource, Unreachable: see `Inputs`.
        BadArtifact: a part is damaged; it is deleted, and another run makes it again.
    """
    folder = parts_of(output)
    total, done = sum(1 for _ in inputs), 0
    parts: list[Path] = []
    for chunk in _chunks(inputs, part_rows):
        part = folder / _part_name(key, chunk)
        if not part.exists():
            write_part(scorer.score(chunk, total - done, following(progress, done, total)), part)
        parts.append(part)
        done += len(chunk)
        progress(done, max(done, total))
    counted = _Counted()
    stamped = replace(by, scored_at=datetime.now(UTC).isoformat(timespec="seconds"))
    write_scores(map(counted, map(read_part, parts)), stamped, folder / _WHOLE)
    (folder / _WHOLE).replace(output)
    sync(output.parent)
    shutil.rmtree(folder)
    return Scored(
        path=output,
        kind=scorer.kind,
        examples=done,
        rejected=counted.rejected,
        computed=scorer.computed,
        labels=dict(counted.labels.most_common()),
        answers=scorer.answers,
        by=stamped,
    )


class _Counted:
    """The counts of labels and of rejected examples over the tables that pass through."""

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        self.rejected = 0

    def __call__(self, table: pa.Table) -> pa.Table:
        self.labels.update(table["label"].drop_null().to_pylist())
        self.labels.update(chain.from_iterable(table["labels"].drop_null().to_pylist()))
        self.rejected += sum(reason != "" for reason in table["reason"].to_pylist())
        return table


def _chunks(inputs: Iterable[Input], size: int) -> Iterator[list[Input]]:
    """Inputs in groups of `size`, or fewer if they hold much in memory."""
    chunk: list[Input] = []
    held = 0
    for entry in inputs:
        chunk.append(entry)
        held += entry.held
        if len(chunk) == size or held >= HELD_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _part_name(key: str, chunk: Sequence[Input]) -> str:
    named = blake3(key.encode())
    for entry in chunk:
        for text in (entry.path, entry.stamp, entry.reason):
            named.update(len(text).to_bytes(8, "little") + text.encode())
    return f"part-{named.hexdigest(16)}.parquet"
