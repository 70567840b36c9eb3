"""The flow `pretrain`: an encoder of the user's own corpus."""

import os
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.project.environment import find_project
from flows.runs.run_form import name_run
from tasks.project.progress import Tenths
from tasks.requests import pretrain as pretraining
from tasks.requests.pretrain import Asked
from thaw.pretraining.texts.record import Record


@flow(name="pretrain", validate_parameters=True)
def pretrain(
    *,
    encoder: str,
    corpus: list[str],
    out: str,
    kind: str = "texts",
    column: str = "text",
    encoding: str | None = None,
    settings: list[str] | None = None,
    teacher: str | None = None,
    words: str | None = None,
) -> Record:
    """Pretrain an encoder on a corpus, and write the backbone and its card. A killed run continues where it stopped, to the same numbers.

    Args:
        encoder: its name, such as quick_thought
        corpus: files with a sentence on each line; relative paths are the project's
        out: the backbone to write, a .safetensors file
        kind: the kind of examples
        column: of sentences in Parquet files
        encoding: of the other files; left out: UTF-8
        settings: of the encoder, as NAME=VALUE
        teacher: the backbone of texts that distilled learns from
        words: the backbone of word vectors that infersent reads with
    """
    os.chdir(find_project(Path.cwd()))
    hold_temporary_server()
    files = (None if name is None else Path(name) for name in (teacher, words))
    asked = Asked(kind, encoder, tuple(map(Path, corpus)), Path(out), column, encoding, tuple(settings or ()), *files)
    record = pretrain_encoder(asked)
    name_run(f"{encoder} on {record.facts.sentences:,} sentences")
    return record


@task(name="pretrain", cache_policy=NO_CACHE, persist_result=False)
def pretrain_encoder(asked: Asked) -> Record:
    """Pretrain the encoder, and publish its card."""
    log = get_run_logger()
    record, order = pretraining.pretrain(asked, Tenths("read", "bytes", log.info), Tenths("train", "steps", log.info))
    create_markdown_artifact(order.card.read_text(encoding="utf-8"), key="pretrained")
    log.info("%s: %s", order.out, record.architecture)
    return record
