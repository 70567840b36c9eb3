"""Parameters of the data set."""

import codecs
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from thaw.params.sections.section import Section, Share
from thaw.params.values.limits import Limited

_NO_SLICES = ("", "path", "digest", "text")
Uncertain = Literal["ignored", "zeros", "ones"]


class SplitParams(Section):
    """Shares of the examples, by a hash of their group or digest, or by date; they apply if the source has no splits of its own."""

    val: Share = Field(0.15, description="share for validation; 0 means that choices are cross-validated on train")
    test: Share = Field(0.2, description="share for the test")
    order: Literal["hash", "date"] = Field(
        "hash",
        description="what decides the split of an example: `hash`: a hash of its group or content, so that no example changes its split as the data grow; "
        "`date`: the date that files state (StudyDate of DICOM), the newest groups in the test",
    )

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(
                f"val {self.val} and test {self.test} leave no examples for training; their sum must be below 1"
            )
        return self


class DatasetParams(Limited, Section):
    """The source of the examples."""

    source: str = Field(
        "data/sources/digits",
        description="a folder of class folders, a table of texts, or a built-in set; the class folders may lie in folders train, val and test; the built-in "
        "sets are `data/sources/digits`, `data/sources/hymenoptera`, `data/sources/sms_spam/sms_spam.csv` and `data/sources/spoken_digits`",
    )
    kind: str = Field(
        "auto",
        description="kind of the examples, such as `images`; `auto`: the kind that the backbone takes",
    )
    listing: str | None = Field(
        None,
        description="a table of labels inside the source; it is CSV, JSON lines or Parquet with the columns path and label (or labels, where an example may "
        "have several), and optionally split and group; null: the folders are the classes",
    )
    target: Literal["auto", "one_label", "label_sets", "trigger"] = Field(
        "auto",
        description="target of the labels; `auto`: one label, or sets of labels if the listing has a column labels; `trigger`: `trigger.words` are heard in a "
        "stream of sound",
    )
    columns: tuple[str, ...] = Field(
        (),
        description="columns of the listing with 1, 0, -1 or nothing for a finding each; their names are the labels of a set; none: a column label or labels",
    )
    uncertain: Uncertain = Field(
        "ignored",
        description="reading of -1 in `dataset.columns`: `ignored` leaves the example without labels, `zeros` reads it as 0, `ones` as 1",
    )
    slices: tuple[str, ...] = Field(
        (),
        description="columns of the listing that part the examples, such as the hospital or the scanner; the report measures each of their values, and "
        "`promotion.max_slice_loss` guards them; their values, 50 a column at most, stand in reports, in MLflow and on pages",
    )
    encoding: str | None = Field(
        None,
        description="encoding of a table and of text files, such as `cp1252`; null: UTF-8, and another one is refused",
    )
    splits: SplitParams = SplitParams()
    labels_per_class: PositiveInt | None = Field(
        None, description="number of labelled training examples of each class that are used; null: all of them"
    )
    max_rejected: int = Field(10, ge=0, description="most rejected files; with more the run stops before any compute")
    max_megapixels: PositiveFloat = Field(
        64,
        description="size of the largest example of the kind `images`, in megapixels; larger ones are rejected before they are decoded",
    )
    max_characters: PositiveInt = Field(
        1_000_000,
        description="length of the longest example of the kind `texts`, in characters; longer ones are rejected",
    )
    max_seconds: PositiveFloat = Field(
        600, description="length of the longest example of the kind `sounds`, in seconds; longer ones are rejected"
    )

    @model_validator(mode="after")
    def _have_a_listing_for_columns(self) -> Self:
        if self.columns and self.listing is None:
            raise ValueError("columns given without a listing; name the table in dataset.listing")
        return self

    @field_validator("slices")
    @classmethod
    def _be_told_apart(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [name.strip().casefold() for name in value]
        if wrong := sorted({name for name in known if known.count(name) > 1 or name in _NO_SLICES}):
            raise ValueError(
                f"slices given with {', '.join(wrong)}; name each column once, and no column of paths or contents"
            )
        return value

    @field_validator("encoding")
    @classmethod
    def _be_known(cls, value: str | None) -> str | None:
        try:
            return None if value is None or codecs.lookup(value).name == "utf-8" else value
        except LookupError as error:
            raise ValueError(
                f"there is no encoding `{value}`; usual ones are utf-8, cp1252, latin-1 and utf-16"
            ) from error
