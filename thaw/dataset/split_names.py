"""The names that people give to splits, in folders and in columns."""

import re
from collections.abc import Collection, Mapping

from thaw.dataset.manifest import TEST, TRAIN, VAL

SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "devel", "development"), VAL),
    **dict.fromkeys(("test", "testing", "tst"), TEST),
}
"""The usual names, in the form of `_core`."""
_HELD_OUT = frozenset({"eval", "evaluation", "holdout", "heldout"})
"""Names for the test, or for the validation where another name is the test's."""
_AROUND = re.compile(r"(?:[\W_]*(?:data)?set|[\W_]*data|[\W_]*split|[\W_]*\d{4})$")
"""Ends of names that say nothing of the split: `train_set`, `TestData`, `val2017`."""
_WORDS = re.compile(r"[^a-z]+")


def splits_named(names: Collection[str]) -> dict[str, str]:
    """The split of each name that is a usual name of a split, in any case; the other names are left out.

    `eval` and `holdout` mean the test, and the validation where another name means the test.
    """
    certain = {name: SPLIT_NAMES[_core(name)] for name in names if _core(name) in SPLIT_NAMES}
    held_out = VAL if TEST in certain.values() else TEST
    return certain | {name: held_out for name in names if _core(name) in _HELD_OUT}


def splits_mentioned(names: Collection[str]) -> dict[str, str]:
    """The split that each name mentions as one of its words, as `seg_train` does; names without such a word are left out."""
    words = {name: [word for word in _WORDS.split(name.casefold()) if word in SPLIT_NAMES] for name in names}
    return {name: SPLIT_NAMES[found[0]] for name, found in words.items() if found}


def _core(name: str) -> str:
    """The name in lower case, without the ends that say nothing, and without signs inside (`hold-out`)."""
    return re.sub(r"[\W_]+", "", _AROUND.sub("", name.strip().casefold()))
