"""A model that was fitted in a notebook: it predicts, is measured, is saved, and leads into a project."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.dataset.manifest import TEST, Manifest
from thaw.dataset.places import places_of
from thaw.dataset.selection import examples_of
from thaw.foundation.errors import BadManifest
from thaw.models.prediction.predictor import Predictor
from thaw.notebook.errors import plainly
from thaw.notebook.measuring import Trained, measured, on_source
from thaw.notebook.predicting import predicted
from thaw.notebook.report import Report
from thaw.notebook.setup import Setup
from thaw.pages.layout import render
from thaw.targets.predictions import Predictions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Model:
    """A backbone and a head, with what they were made from.

    strategy: in words. fingerprint: of the features that the head was trained on; empty if they are not cached. manifest: of the source. held_out: the model's
    answers for the test; None: there is no test. rejected: files of the source that could not be used. notes: sentences on the source.
    """

    predictor: Predictor
    setup: Setup
    strategy: str
    fingerprint: str
    manifest: Manifest
    held_out: Predictions | None
    rejected: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.predictor.class_names

    @property
    def data(self) -> "pd.DataFrame":
        """A row an example of the source: path, label (or labels, a list), split, group."""
        table = self.manifest.table
        label = "labels" if self.manifest.multilabel else "label"
        frame: pd.DataFrame = table.select(["path", label, "split", "group"]).to_pandas()
        return frame.astype({"split": object} if label == "labels" else {"split": object, label: object})

    @plainly
    def predict(self, examples: object) -> "pd.DataFrame":
        """The model's answer for examples: a row each, in order.

        examples: a path, a folder, a glob, an address, a table of texts, a text, bytes or an array; or a list or a column of these.

        The columns are `example`, what it was given as; `label` and `confidence`, or `labels` for a model of label sets; `known_score` if the model knows
        `neither`; `p_NAME` for each class; and `reason`, why an example could not be used, else "". The others of such an example are empty.

        Raises:
            BadSource: what was given alone is not there, or holds nothing.
        """
        return predicted(self.predictor, self.setup, self.fingerprint, examples)

    @plainly
    def evaluate(self, source: "str | Path | pd.DataFrame | None" = None, *, listing: str | None = None) -> Report:
        """The model on its own held-out test, or on all labelled examples of another source that it has not learnt from.

        Raises:
            BadManifest: there is no test, or the source has classes that the model does not know.
            BadSource: the source cannot be read.
        """
        if source is not None:
            return on_source(self._trained, source, listing)
        if self.held_out is None:
            raise BadManifest(
                'nothing was held out to test on; fit with params={"dataset.splits.test": 0.2}, or name a source: evaluate("more")'
            )
        return measured(self._trained, self.held_out, places_of(self.setup.params.dataset), self.notes)

    @plainly
    def save(self, folder: "str | Path") -> Path:
        """Write the model into a folder, as safetensors, JSON and Parquet; returns the folder. `thaw.load` reads it, `thaw init --from` makes a project of it.

        Raises:
            BadParameters: the folder holds something else.
        """
        from thaw.notebook.storage import write_model

        return write_model(self, Path(folder).expanduser())

    @classmethod
    @plainly
    def load(cls, folder: "str | Path", *, cache: "str | Path | None" = None, quiet: bool = False) -> "Model":
        """Read a model of `save`.

        Raises:
            BadArtifact: a file is missing, torn, or not the written one.
        """
        from thaw.notebook.storage import read_model

        return read_model(Path(folder).expanduser(), cache, quiet=quiet)

    @plainly
    def register(self, name: str) -> str:
        """Make a version of the registered model `name` in MLflow, and give it the alias `challenger`; returns its address, such as `models:/birds/1`.

        MLflow is at `MLFLOW_TRACKING_URI`, or else in the folder `.thaw` of the working directory. The same model makes one version.

        Raises:
            RegistryError, Unreachable: MLflow refuses, or does not answer.
        """
        from thaw.notebook.registering import register

        return register(self, name)

    @property
    def _trained(self) -> Trained:
        return Trained(self.predictor, self.setup, self.manifest, self.strategy)

    def __repr__(self) -> str:
        own = f"{self.strategy} on {self.setup.asked.backbone.weights}, {len(self.class_names)} classes"
        return f"{own}. {self.evaluate()!r}" if self.held_out is not None else f"{own}, without a test"

    def _repr_html_(self) -> str:
        facts = (
            ("strategy", self.strategy),
            ("backbone", f"{self.predictor.backbone.architecture}, {Path(self.setup.asked.backbone.weights).name}"),
            ("classes", ", ".join(self.class_names)),
            ("source", self.setup.asked.dataset.source),
        )
        if self.held_out is None:
            return render("notebook/bare.html.j2", {"verdict": repr(self), "facts": facts})
        tested = len(examples_of(self.manifest, TEST))
        split = ("held out", f"{tested} of {len(self.manifest)} {self.setup.kind.words.many}")
        return render("notebook/model.html.j2", {**self.evaluate().shown(), "facts": (*facts, split)})


@plainly
def load(folder: "str | Path", *, cache: "str | Path | None" = None, quiet: bool = False) -> Model:
    """Read a model of `Model.save`; see `Model.load`."""
    return Model.load(folder, cache=cache, quiet=quiet)
