"""The checks before a run: parameters, data, weights, versions, disk, repositories."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version
from ruamel.yaml import YAML

from flows.dvc.stage_graph import PIPELINE
from flows.project.errors import NotReady
from thaw.dataset.corrections import CORRECTIONS, read_corrections
from thaw.foundation.errors import BadParameters, ThawError
from thaw.foundation.files.walking import unhashable
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.listing import default_of
from thaw.params.values.places import BUILTIN_SOURCES, NAMED_WEIGHTS
from thaw.params.values.reading import PARAMS, holds, leaves, read_params

_LISTED_AT_MOST = 5
_TAKEN = re.compile(r"\$\{([\w.]+)\}")
"""What `dvc.yaml` takes from `params.yaml`."""
_LEAST_FREE_GB = 2.0
_REQUIRED = (
    ("fastapi>=0.139,<0.151", "newer versions break Prefect's server"),
    ("sqlalchemy>=2.0,<2.1", "with newer versions Prefect makes no scheduled runs"),
    ("prefect>=3.8,<4", "the flows are written for it"),
    ("dvc>=3.67,<4", "the stages are written for it"),
    ("mlflow>=3.17,<4", "the registry is written for it"),
    ("torch", "it computes the features"),
    ("torchvision", "it holds the backbones"),
)


class Verdict(StrEnum):
    """The verdict of one check."""

    PASS = "pass"  # noqa: S105  # no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """The finding of one check, and advice."""

    check: str
    verdict: Verdict
    says: str
    advice: str = ""


def check_all(root: Path) -> tuple[Finding, ...]:
    """The findings of every check; without a readable `params.yaml` the checks that depend on it are left out."""
    params, finding = _check_params(root)
    findings = [finding]
    if params is not None:
        findings.extend(
            check(root, params) for check in (_check_source, _check_examples, _check_weights, _check_kind, _check_layer)
        )
    findings.extend(_check_versions())
    findings.extend(check(root) for check in (_check_corrections, _check_disk, _check_git, _check_dvc))
    return tuple(findings)


def preflight(root: Path) -> Params:
    """The cheap checks before every run: the parameters, and causes of errors in DVC itself.

    Raises:
        BadParameters: `params.yaml` is not valid.
        NotReady: a check fails; the message has advice.
    """
    params = read_params(root / PARAMS)
    refuse_unnamed(root)
    findings = (
        *(check(root, params) for check in (_check_source, _check_weights, _check_kind, _check_layer)),
        _check_corrections(root),
    )
    for finding in findings:
        if finding.verdict is Verdict.FAIL:
            raise NotReady(f"{finding.check}: {finding.says}; {finding.advice}")
    return params


def refuse_unnamed(root: Path) -> None:
    """Check that `params.yaml` itself names what `dvc.yaml` takes from it; DVC does not know the defaults.

    Raises:
        BadParameters: a key is left out.
    """
    document = YAML(typ="safe").load((root / PARAMS).read_text(encoding="utf-8"))
    used = sorted(set(_TAKEN.findall((root / PIPELINE).read_text(encoding="utf-8"))))
    unnamed = {key: default for key, default in _defaults() if key in used and not holds(document, key)}
    if unnamed:
        commands = " ".join(f"{key}={default}" for key, default in unnamed.items())
        raise BadParameters(
            f"{PARAMS} does not name {' and '.join(unnamed)}, which DVC reads there; `thaw config set {commands}` adds the default"
        )


def _defaults() -> Iterator[tuple[str, object]]:
    return ((key, default_of(field)) for key, field in leaves(Params))


def _check_params(root: Path) -> tuple[Params | None, Finding]:
    try:
        params = read_params(root / PARAMS)
        refuse_unnamed(root)
    except ThawError as error:
        return None, Finding(
            "params.yaml", Verdict.FAIL, str(error), "correct these, or use `thaw config set KEY=VALUE`"
        )
    return params, Finding("params.yaml", Verdict.PASS, "every key and value is allowed")


def _check_source(root: Path, params: Params) -> Finding:
    """Check that the source exists or can be fetched, and that DVC can hash it."""
    name = params.dataset.source
    source = root / name
    if not source.exists():
        if Path(name).parent == BUILTIN_SOURCES:
            return Finding("data source", Verdict.PASS, f"{name} is built in; the first run makes it")
        return Finding(
            "data source",
            Verdict.FAIL,
            f"{name} does not exist",
            "set dataset.source to your folder of examples",
        )
    if not source.is_dir():
        return Finding(
            "data source", Verdict.FAIL, f"{name} is not a folder", "set dataset.source to a folder of examples"
        )
    bad = unhashable(source)
    if bad:
        listed = ", ".join(f"{file.path} {file.reason}" for file in bad[:_LISTED_AT_MOST])
        more = f" and {len(bad) - _LISTED_AT_MOST} more" if len(bad) > _LISTED_AT_MOST else ""
        return Finding("data source", Verdict.FAIL, f"in {name}: {listed}{more}", "remove these: DVC cannot hash them")
    return Finding("data source", Verdict.PASS, f"{name} exists, and DVC can hash it")


def _check_examples(root: Path, params: Params) -> Finding:
    """Check that the layout of the source can be read; opens no example."""
    from thaw.dataset.folders import read_source

    source = root / params.dataset.source
    if not source.is_dir():
        return Finding("examples", Verdict.PASS, "not checked: the source does not exist yet")
    try:
        listing = read_source(source, params.dataset.listing)
    except ThawError as error:
        return Finding("examples", Verdict.FAIL, str(error), "arrange the examples in one folder a class")
    if (count := len(listing.rejected)) > params.dataset.max_rejected:
        first = listing.rejected[0]
        says = f"{count} files cannot be used, and dataset.max_rejected allows {params.dataset.max_rejected}: `{first.path}` {first.reason}"
        return Finding("examples", Verdict.FAIL, says, "mend or remove them, or raise dataset.max_rejected")
    labels = {name for candidate in listing.candidates for name in candidate.names or ()}
    if len(labels) < 2:
        advice = "put the examples of each class into a folder of its own"
        says = " ".join((f"{len(labels)} classes; at least 2 are needed.", *listing.warnings))
        return Finding("examples", Verdict.FAIL, says, advice)
    says = f"{len(listing.candidates)} files in {len(labels)} classes"
    if listing.warnings:
        return Finding("examples", Verdict.WARN, " ".join((f"{says}.", *listing.warnings)), "read this before you run")
    return Finding("examples", Verdict.PASS, says)


def _check_weights(root: Path, params: Params) -> Finding:
    name = params.backbone.weights
    if (root / name).is_file():
        return Finding("weights", Verdict.PASS, f"{name} is there")
    if Path(name).parent == NAMED_WEIGHTS:
        if name.endswith(".random.pth"):
            return Finding("weights", Verdict.PASS, f"{name} is drawn by the first run")
        return Finding("weights", Verdict.WARN, f"{name} is not here yet", "the first run downloads it: be online")
    advice = "set backbone.weights to a .pth or .safetensors file, or to official weights by name"
    return Finding("weights", Verdict.FAIL, f"{name} does not exist", advice)


def _check_kind(root: Path, params: Params) -> Finding:
    try:
        kind = kind_of(params, root)
    except ThawError as error:
        return Finding("kind", Verdict.FAIL, str(error), "or choose other weights")
    return Finding("kind", Verdict.PASS, f"examples are {kind.words.many}")


def _check_layer(root: Path, params: Params) -> Finding:
    layer, layers = params.strategy.layer, params.backbone.layers
    if layer is not None and layer not in layers and not {"auto", "blocks"} & {*layers}:
        advice = f"set strategy.layer to one of backbone.layers ({', '.join(layers)}), or to null"
        return Finding("strategy.layer", Verdict.FAIL, f"{layer} is not extracted", advice)
    return Finding("strategy.layer", Verdict.PASS, f"{layer or layers[-1]} is extracted")


def _check_corrections(root: Path) -> Finding:
    """Check that the corrections can be read; DVC needs the file even if it has no rows."""
    path = root / CORRECTIONS
    if not path.exists() and str(CORRECTIONS) in (root / "dvc.yaml").read_text(encoding="utf-8"):
        return Finding("corrections", Verdict.FAIL, f"{CORRECTIONS} is missing", f"`git checkout {CORRECTIONS}`")
    try:
        return Finding("corrections", Verdict.PASS, f"{len(read_corrections(path))} labels by people")
    except ThawError as error:
        return Finding("corrections", Verdict.FAIL, str(error), "correct the file, or restore it from Git")


def _check_versions() -> Iterator[Finding]:
    python = sys.version_info
    verdict = Verdict.PASS if python >= (3, 11) else Verdict.FAIL
    yield Finding(
        "python",
        verdict,
        f"{python.major}.{python.minor}",
        "" if verdict is Verdict.PASS else "use 3.11 or newer",
    )
    for requirement, why in _REQUIRED:
        yield check_version(requirement, why, metadata.version)


def check_version(requirement: str, why: str, installed: Callable[[str], str]) -> Finding:
    """Compare an installed version with a requirement such as `fastapi>=0.139,<0.151`."""
    parsed = Requirement(requirement)
    try:
        version = installed(parsed.name)
    except metadata.PackageNotFoundError:
        return Finding(parsed.name, Verdict.FAIL, "is not installed", "run `make install`")
    if not parsed.specifier.contains(Version(version), prereleases=True):
        says = f"{version}, but {parsed.specifier} is needed: {why}"
        return Finding(parsed.name, Verdict.FAIL, says, "run `make install`")
    return Finding(parsed.name, Verdict.PASS, version)


def _check_disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free / 1e9
    if free < _LEAST_FREE_GB:
        return Finding("disk", Verdict.WARN, f"{free:.1f} GB are free", "make room: features and models are kept")
    return Finding("disk", Verdict.PASS, f"{free:.0f} GB are free")


def _check_git(root: Path) -> Finding:
    if any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Finding("git", Verdict.PASS, "the project is in a Git repository")
    advice = "`git init`, so that experiments can be compared"
    return Finding("git", Verdict.WARN, "the project is in no Git repository", advice)


def _check_dvc(root: Path) -> Finding:
    if (root / ".dvc").is_dir():
        return Finding("dvc", Verdict.PASS, "is initialised")
    return Finding("dvc", Verdict.FAIL, "is not initialised", "`dvc init` (with --no-scm where there is no Git)")
