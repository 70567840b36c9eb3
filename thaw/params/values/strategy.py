"""The strategy: the trained part of the model, and the file by which the advice hands the strategy to later stages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt, TypeAdapter

from thaw.foundation.files.records import read_record, write_record

HeadKind = Literal["linear", "mlp", "knn"]
StrategyKind = Literal["linear", "mlp", "knn", "cut", "zero_shot", "last_blocks", "lora", "full", "scratch", "plain"]
"""See `StrategyParams.kind`."""
THAWING: tuple[StrategyKind, ...] = ("last_blocks", "lora", "full", "scratch")
"""The strategies that train the backbone, a part of it or adapters of it."""
PLAIN: StrategyKind = "plain"
"""The strategy without a backbone."""
SLOT = "{label}"
"""What stands for the name of a class in a prompt."""
ZERO_SHOT: StrategyKind = "zero_shot"
"""The strategy whose head is made of the names of the classes; see `thaw.heads.text_head`."""


@dataclass(frozen=True)
class Strategy:
    """The trained part of the model. layer: the cut layer below the head; with `plain` that of the frozen model beside it. blocks: the number of thawed
    last blocks (`last_blocks`), else None."""

    kind: StrategyKind
    layer: str
    blocks: PositiveInt | None = None

    @property
    def head(self) -> HeadKind:
        """The kind of head; fine-tuning starts from a linear one, and a linear one stands beside the plain model."""
        match self.kind:
            case "mlp" | "knn":
                return self.kind
            case _:
                return "linear"

    @property
    def thaws(self) -> bool:
        """Whether layers of the backbone, or adapters of them, are trained."""
        return self.kind in THAWING

    def __str__(self) -> str:
        match self.kind:
            case "cut":
                return f"cut at {self.layer}"
            case "zero_shot":
                return "zero-shot"
            case "last_blocks":
                return "last block" if self.blocks == 1 else f"last {self.blocks} blocks"
            case _:
                return self.kind


_ADAPTER = TypeAdapter(Strategy)


def write_strategy(strategy: Strategy, path: Path) -> None:
    """Write the strategy as JSON, atomically; the same strategy gives the same bytes."""
    write_record(_ADAPTER, strategy, path)


def read_strategy(path: Path) -> Strategy:
    """Read a strategy of `write_strategy`.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda error: f"{path} cannot be read as a strategy ({error}); run `thaw run --stage advise` to make it again",
    )
