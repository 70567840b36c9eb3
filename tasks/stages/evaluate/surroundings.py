"""What the stage `evaluate` knows of the test rows beside their labels and groups: slices, and the model's predictions on the validation split."""

from collections.abc import Callable, Sequence

from tasks.project.paths import INGEST
from thaw.dataset.manifest import Example, Manifest
from thaw.dataset.selection import validation_examples
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import Slices, read_slices
from thaw.evaluation.scrutiny import Surroundings
from thaw.targets.predictions import Predictions


def surroundings_of(
    manifest: Manifest, test: Sequence[Example], predict: Callable[[Sequence[Example]], Predictions]
) -> Surroundings:
    """The surroundings of the test rows. predict: the model's predictions for labelled examples, at least one.

    Raises:
        BadArtifact: the file of slices is damaged.
    """
    validation = validation_examples(manifest)
    return Surroundings(slices_of_test(test), predict(validation) if validation else None)


def slices_of_test(test: Sequence[Example]) -> Slices | None:
    """The slices of the test rows; None: none are named.

    Raises:
        BadArtifact: the file of slices is damaged.
    """
    slices = read_slices(INGEST / SLICES)
    return None if slices is None else slices.of_paths([row.path for row in test])
