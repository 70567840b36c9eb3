"""The flow `score`: the answers of a deployed model for any number of examples, in one table.

Prefect imports the file of a flow to deploy it. So what scores is imported where it is used: it needs PyTorch, which takes seconds.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import Task, flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.project.environment import find_project
from flows.runs.run_form import name_run
from tasks.project.progress import Tenths
from thaw.foundation.errors import Unreachable
from thaw.kinds.registry import kind_named

if TYPE_CHECKING:
    from thaw.models.scoring.scoring import Scored

RETRIES = 5
_BACKOFF_S = 2
"""The first pause before another try; each later pause is twice as long."""


@flow(name="score", validate_parameters=True)
def score(sources: list[str], output: str | None = None, model: str | None = None) -> "Scored":
    """Score examples with the champion, or another version, and write a table to data/scores. A killed run continues where it stopped.

    The run fails if no example can be used.

    Args:
        sources: examples, folders, globs, listings (CSV, JSON lines or Parquet with a column path), tables of texts, addresses such as s3://bucket/photos;
            relative paths are the project's
        output: the Parquet file, or a bare name in data/scores; left out: named after the sources
        model: an MLflow model URI, such as models:/NAME/3; left out: the champion
    """
    from tasks.requests import score as scoring

    os.chdir(find_project(Path.cwd()))
    hold_temporary_server()
    scored = score_sources(sources, output, model)
    publish(scored)
    name_run(
        f"{kind_named(scored.kind).words.counted(scored.examples)} by {scored.by.model} {scored.by.version}".rstrip()
    )
    get_run_logger().info(
        "%s scored, %d through the network, %d cannot be used: %s",
        kind_named(scored.kind).words.counted(scored.examples),
        scored.computed,
        scored.rejected,
        scored.path,
    )
    scoring.refuse_unusable(scored)
    return scored


def _may_pass(task: "Task[..., object]", run: TaskRun, state: "State[object]") -> bool:
    return isinstance(state.data, Unreachable)


@task(
    name="score",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(_BACKOFF_S),
    retry_condition_fn=_may_pass,
    persist_result=False,
)
def score_sources(sources: list[str], output: str | None, model: str | None) -> "Scored":
    """Score the sources; another try continues where the last try stopped."""
    from tasks.requests import score as scoring

    progress = Tenths("score", "examples", get_run_logger().info)
    return scoring.score(sources, None if output is None else Path(output), model, progress)


def publish(scored: "Scored") -> None:
    """Make a table of the counts for Prefect's own pages."""
    kind = kind_named(scored.kind)
    rows: list[dict[str, object]] = [{"label": label, kind.name: count} for label, count in scored.labels.items()]
    rows.append({"label": "(cannot be used)", kind.name: scored.rejected})
    model = f"{scored.by.model} {scored.by.version}".rstrip()
    create_table_artifact(
        table=rows, key="scores", description=f"{kind.words.counted(scored.examples)} by {model}: {scored.path}"
    )
