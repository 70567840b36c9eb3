"""The settings that every pretraining of texts has."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from thaw.params.sections.section import Section
from thaw.pretraining.storing import Stored


class EncoderSettings(Section):
    """The settings of any encoder."""

    min_count: Annotated[int, Field(ge=1, description="a word is learnt if the corpus has it so often")] = 5
    max_words: Annotated[int, Field(ge=2, description="the most words that are learnt, the most frequent ones")] = (
        1_000_000
    )
    lowercase: Annotated[bool, Field(description="whether capitals are made small")] = True
    seed: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=1, description="of torch; the numbers depend on it in the last digits")] = 1
    stored: Annotated[
        Stored,
        Field(description="the precision of the written numbers; float8 is for numbers near 1, as `distilled` has"),
    ] = "float32"

    @property
    def files(self) -> tuple[Path, ...]:
        """Files beside the corpus that the numbers depend on."""
        return ()
