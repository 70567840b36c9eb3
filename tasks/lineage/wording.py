"""The facts of a version's origin in words, a line each; a fact that was not recorded is `None` or "not recorded"."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tasks.lineage.lineage import Commit, Dataset, Lineage
from tasks.registry.flat_names import flat_params
from thaw.kinds.kind import Words
from thaw.lineage.training_examples import TrainingExample
from thaw.params.sections import Params

NOT_RECORDED = "not recorded"
TELLING = ("thaw", "torch", "torchvision", "numpy", "pillow", "scikit-learn", "openvino")
"""The packages whose versions may change numbers."""
_SHOWN = 5


def moment(when: datetime) -> str:
    """`2026-11-27 01:02 UTC`."""
    return when.strftime("%Y-%m-%d %H:%M UTC")


def commit_words(commit: Commit | None) -> str | None:
    """The commit, and the files that differed from it."""
    if commit is None:
        return None
    if not commit.dirty:
        return f"{commit.id[:12]}, clean"
    if not commit.changed:
        return f"{commit.id[:12]}, with uncommitted changes"
    more = f" and {len(commit.changed) - _SHOWN} more" if len(commit.changed) > _SHOWN else ""
    return f"{commit.id[:12]}, with uncommitted changes, {', '.join(commit.changed[:_SHOWN])}{more}"


def data_words(dataset: Dataset, words: Words) -> str:
    """`56 examples: 16 train, 40 test`, in the words of the kind."""
    splits = ", ".join(f"{count:,} {split}" for split, count in sorted(dataset.splits.items(), reverse=True))
    return f"{words.counted(sum(dataset.splits.values()))}: {splits}"


def training_words(examples: Sequence[TrainingExample], words: Words) -> str:
    """`10 examples of 2 classes`, in the words of the kind."""
    classes = {label for example in examples for label in example.labels}
    return f"{words.counted(len(examples))} of {len(classes)} classes"


def machine_words(lineage: Lineage) -> str | None:
    """Python, PyTorch, the processor and the GPUs."""
    machine, packages = lineage.machine, lineage.packages or {}
    if machine is None:
        return None
    torch = [f"torch {packages['torch']}"] if "torch" in packages else []
    return ", ".join([f"Python {machine.python}", *torch, machine.processor, *machine.gpus])


def packages_words(lineage: Lineage) -> str | None:
    """The packages of `TELLING`, and the number of all packages."""
    packages = lineage.packages
    if packages is None:
        return None
    by_name = {name.casefold(): version for name, version in packages.items()}
    telling = [f"{name} {by_name[name]}" for name in TELLING if name in by_name]
    return ", ".join([*telling, f"{len(packages):,} in all"])


def facts_of(lineage: Lineage) -> tuple[tuple[str, str], ...]:
    """All facts except stages and promotions, as (name, fact)."""
    run, dataset, training, tags = lineage.run, lineage.dataset, lineage.training, lineage.version.tags
    model = [tags[tag] for tag in ("thaw.strategy", "thaw.architecture") if tag in tags]
    facts = (
        ("Git commit", commit_words(lineage.commit)),
        ("MLflow run", None if run is None else f"{run.id} in {run.store}, started {moment(run.started)}"),
        ("Prefect flow run", lineage.flow_run),
        ("model", ", ".join(model) or None),
        *((("weights", tags["thaw.weights"]),) if "thaw.weights" in tags else ()),
        ("features", lineage.fingerprint),
        ("source", None if dataset is None else dataset.source),
        ("manifest", None if dataset is None else f"{data_words(dataset, lineage.words)}; BLAKE3 {dataset.manifest}"),
        ("trained on", None if training is None else training_words(training, lineage.words)),
        ("parameters", None if run is None else parameter_words(run.params)),
        ("packages", packages_words(lineage)),
        ("machine", machine_words(lineage)),
    )
    return tuple((name, fact or NOT_RECORDED) for name, fact in facts)


def parameter_words(params: Mapping[str, str]) -> str:
    """The parameters that differ from the default, and the number of all parameters."""
    usual = flat_params(Params().model_dump(mode="json"))
    changed = [f"{name}={value}" for name, value in sorted(params.items()) if usual.get(name) != value]
    return ", ".join([*changed, f"{len(params)} in all"])
