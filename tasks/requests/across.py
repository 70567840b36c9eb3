"""The request `thaw compare --across`: each source of a column is left out of training in turn, on cached features. It is no stage; a person asks for it."""

from pathlib import Path

from tasks.project.paths import FEATURES_INDEX, INGEST, MANIFEST, STRATEGY
from tasks.stages.labelled_features import read_labelled
from thaw.dataset.manifest import Example, Manifest, read_manifest
from thaw.dataset.selection import class_names_of
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import Slices, read_slices
from thaw.features.store.store import read_index
from thaw.foundation.errors import BadParameters
from thaw.heads import fit_head
from thaw.heads.class_texts import needed_class_texts
from thaw.heads.text_head import text_head
from thaw.kinds.kind import Words
from thaw.kinds.registry import kind_named
from thaw.params.sections import Params
from thaw.params.values.reading import read_params
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import ZERO_SHOT, Strategy, read_strategy
from thaw.strategies.across_sources import Across, Fit, SourcedRows, compare_across, write_across
from thaw.targets.supports import require
from thaw.targets.target import target_of

ACROSS = Path("data/across.json")


def compare_sources(column: str) -> Across:
    """Compare across the values of a column of `dataset.slices`, and write `data/across.json`.

    The head is that of the last strategy of the advice, without which it is linear on the last layer; a fine-tuned network is not fitted again.
    All labelled examples take part, those of the test too, because no choice of the pipeline follows from it.

    Raises:
        BadParameters: the column is not among `dataset.slices`, or the labels are those of triggers.
        BadManifest: fewer than two sources can be judged.
        BadArtifact: a file is missing or damaged.
    """
    params, manifest = read_params(), read_manifest(MANIFEST)
    target = target_of(manifest)
    require(target, "pooled_features", f"`thaw compare --across {column}` asked for")
    slices = _slices_with(column)
    examples = _labelled(manifest)
    index = read_index(FEATURES_INDEX)
    strategy = read_strategy(STRATEGY) if STRATEGY.exists() else Strategy("linear", index.layer(None).name)
    names = class_names_of(examples)
    rows = read_labelled(examples, names, (index.layer(strategy.layer),), target)
    sources = slices.of_paths([example.path for example in examples]).column(column)
    fit = _fit(params, strategy, names, kind_named(manifest.kind).words)
    across = compare_across(column, SourcedRows(rows, sources), params.head, fit, resampling_of(params.statistics))
    write_across(across, ACROSS)
    return across


def _fit(params: Params, strategy: Strategy, class_names: tuple[str, ...], words: Words) -> Fit:
    """The head of the strategy, or the linear one that a fine-tuned network starts from."""
    if strategy.kind != ZERO_SHOT:
        return lambda train: fit_head(train, None, params.head, strategy.head)
    model = needed_class_texts(params, class_names, words)
    return lambda train: text_head(model, train)


def _slices_with(column: str) -> Slices:
    slices = read_slices(INGEST / SLICES)
    named = () if slices is None else slices.names
    if slices is None or column not in named:
        raise BadParameters(
            f"--across {column}: dataset.slices names {', '.join(named) or 'no column'}; "
            f"name it there: thaw config set dataset.slices=[{', '.join([*named, column])}]"
        )
    return slices


def _labelled(manifest: Manifest) -> tuple[Example, ...]:
    """The labelled examples, the first of each content."""
    first: dict[bytes, Example] = {}
    for example in manifest.examples():
        if example.names is not None:
            first.setdefault(example.digest, example)
    return tuple(first.values())
