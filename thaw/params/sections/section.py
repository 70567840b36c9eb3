"""The base of every section."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A part of `params.yaml`; it is frozen and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
