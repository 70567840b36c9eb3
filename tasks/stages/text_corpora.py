"""The stage `corpora` of the pipeline of the embedded word vectors: the corpora in one file; they and the teachers are checked by their digests."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from tasks.project.entry import stage
from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import atomic, digest_file
from thaw.params.sections.section import Section
from thaw.params.values.section_file import read_section
from thaw.pretraining.texts.corpus import Corpus, lines_of
from thaw.pretraining.texts.joining import JoinSettings

log = logging.getLogger(__name__)

FOLDER = Path("data/pretrain/texts")
PARAMS = FOLDER / "params.yaml"
CORPUS = FOLDER / "parts/corpus.txt"
_TERMS_END = ": "


class SourceParams(Section):
    """A file that is laid by hand. path: where it lies. from_: where it is published, and how it is made of that. digest: BLAKE3 of the file, hex."""

    name: str
    path: Path
    from_: str = Field(alias="from")
    licence: str
    digest: str


class CorpusParams(SourceParams):
    """A corpus, a sentence on each line. has_terms: whether a paragraph begins with `TERMS: GLOSS`, which are then two sentences."""

    has_terms: bool = False


class SetParams(Section):
    """A set of labelled sentences that measures the result. files: one, or that of training and that of the test."""

    name: str
    files: tuple[Path, ...] = Field(min_length=1, max_length=2)


class TextPretrainParams(Section):
    """All parameters of `data/pretrain/texts/params.yaml`. teachers: backbones that parts are distilled from. parts: settings of encoders, by their names.
    join: of two or more parts; one alone is shipped as it is."""

    corpora: tuple[CorpusParams, ...] = Field(min_length=1)
    teachers: tuple[SourceParams, ...] = ()
    parts: dict[str, dict[str, object]] = Field(min_length=1)
    join: JoinSettings | None = None
    sets: tuple[SetParams, ...] = ()

    @model_validator(mode="after")
    def _parts_are_joined(self) -> Self:
        if (self.join is None) != (len(self.parts) == 1):
            raise ValueError("join is given for two or more parts, and for these alone")
        return self


def main() -> None:
    """Write all corpora to one file of plain text."""
    params = read_text_params()
    for source in (*params.corpora, *params.teachers):
        check(source, PARAMS)
    with atomic(CORPUS) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for corpus in params.corpora:
            file.writelines(f"{line}\n" for line in sentences_of(corpus))
    log.info("%s: %s", CORPUS, ", ".join(corpus.name for corpus in params.corpora))


def check(source: SourceParams, params: Path) -> None:
    """Refuse a file that is missing, or not the one that was used; params: the file that names its digest.

    Raises:
        BadSource: the file is not there, or another one.
    """
    if not source.path.is_file():
        raise BadSource(
            f"{source.path} is missing; {source.name} ({source.licence}) is from {source.from_}; lay it there"
        )
    if (digest := digest_file(source.path).hex()) != source.digest:
        raise BadSource(
            f"{source.path} has the digest {digest}, and {params} names {source.digest}; set it there to use this file"
        )


def sentences_of(corpus: CorpusParams) -> Iterator[str]:
    """The lines of a corpus; the terms and the gloss of a paragraph are lines of their own."""
    begins = True
    for line in lines_of(Corpus((corpus.path,))):
        terms, end, gloss = line.partition(_TERMS_END)
        if corpus.has_terms and begins and end:
            yield terms
            yield gloss
        else:
            yield line
        begins = not line


def read_text_params(path: Path = PARAMS) -> TextPretrainParams:
    """Read and check the parameters.

    Raises:
        BadParameters: the file is missing, or has values that are not allowed.
    """
    return read_section(path, TextPretrainParams)


if __name__ == "__main__":
    stage(main)
