"""The checks before a run: parameters, data, weights, servers, versions, disk, repositories. `thaw check` shows all of them, and every run begins with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.dvc.stage_parameters import refuse_unnamed, taken
from flows.project.errors import NotReady
from flows.runs.data_findings import check_examples, check_source
from flows.runs.findings import Finding, Verdict
from flows.runs.machine_findings import check_disk, check_dvc, check_git, check_store, check_tracking, check_versions
from flows.runs.weights_findings import check_kind, check_layer, check_weights
from thaw.dataset.corrections import CORRECTIONS, read_corrections
from thaw.foundation.errors import ThawError
from thaw.params.sections import Params
from thaw.params.values.reading import PARAMS, read_params


def check_all(root: Path) -> tuple[Finding, ...]:
    """The findings of every check; without a readable `params.yaml` the checks that depend on it are left out."""
    params, finding = _check_params(root)
    checked = () if params is None else _check(root, params)
    return (
        finding,
        *checked,
        *check_versions(),
        _check_corrections(root),
        check_disk(root),
        check_git(root),
        check_dvc(root),
    )


@dataclass(frozen=True)
class Ready:
    """A project that passes the checks: its parameters, and what the user should know before the run."""

    params: Params
    warnings: tuple[Finding, ...]


def preflight(root: Path, *, whole: bool = True) -> Ready:
    """The same checks before every run, without those of the installation; a costly check runs only if its inputs have changed.

    Args:
        root: the project's folder.
        whole: whether the run goes to the last stage; else it does not need what only the last stages need.

    Raises:
        BadParameters: `params.yaml` is not valid.
        NotReady: checks fail; the message has all of them, with advice.
    """
    params = read_params(root / PARAMS)
    refuse_unnamed(root)
    findings = (*_check(root, params), _check_corrections(root))
    failed = [finding for finding in findings if finding.verdict is Verdict.FAIL and (whole or not finding.late)]
    if failed:
        raise NotReady(". ".join(map(str, failed)))
    return Ready(params, tuple(finding for finding in findings if finding.verdict is Verdict.WARN))


def _check(root: Path, params: Params) -> Iterator[Finding]:
    """The checks that depend on the parameters. What the pipeline does not read is not opened."""
    used = taken(root)
    source = check_source(root, params, used="dataset.source" in used)
    yield source
    if source.verdict is not Verdict.FAIL and "dataset.source" in used:
        yield from check_examples(root, params)
    yield from check_weights(root, params, used="backbone.weights" in used)
    for check in (check_kind, check_layer, check_store, check_tracking):
        yield check(root, params)


def _check_params(root: Path) -> tuple[Params | None, Finding]:
    try:
        params = read_params(root / PARAMS)
        refuse_unnamed(root)
    except ThawError as error:
        return None, Finding(
            "params.yaml", Verdict.FAIL, str(error), "correct these, or use `thaw config set KEY=VALUE`"
        )
    return params, Finding("params.yaml", Verdict.PASS, "every key and value is allowed")


def _check_corrections(root: Path) -> Finding:
    """Check that the corrections can be read; DVC needs the file even if it has no rows."""
    path = root / CORRECTIONS
    if not path.exists() and str(CORRECTIONS) in (root / "dvc.yaml").read_text(encoding="utf-8"):
        return Finding("corrections", Verdict.FAIL, f"{CORRECTIONS} is missing", f"`git checkout {CORRECTIONS}`")
    try:
        return Finding("corrections", Verdict.PASS, f"{len(read_corrections(path))} labels by people")
    except ThawError as error:
        return Finding("corrections", Verdict.FAIL, str(error), "correct the file, or restore it from Git")
