"""The text model of a project's classes, from the text tower beside the backbone's file."""

from collections.abc import Sequence
from pathlib import Path

from thaw.backbones.text_towers import text_tower_of
from thaw.foundation.errors import BadArtifact
from thaw.heads.logistic import LogisticModel
from thaw.heads.text_head import prompts_of, text_model, texts_of
from thaw.kinds.kind import Words
from thaw.params.sections import Params


def class_texts(
    params: Params, class_names: Sequence[str], words: Words
) -> tuple[LogisticModel, tuple[str, ...]] | None:
    """The model and the texts that stand for the classes; None: the backbone has no text tower.

    Raises:
        BadArtifact: the tower is damaged.
        BadParameters: a prompt is longer than the tower takes.
    """
    tower = text_tower_of(Path(params.backbone.weights))
    if tower is None:
        return None
    prompts = prompts_of(params.strategy, words)
    return text_model(tower, class_names, prompts), texts_of(class_names, prompts)


def needed_class_texts(params: Params, class_names: Sequence[str], words: Words) -> LogisticModel:
    """The model of `class_texts`.

    Raises:
        BadArtifact: the backbone has no text tower.
    """
    found = class_texts(params, class_names, words)
    if found is None:
        raise BadArtifact(
            f"{params.backbone.weights} has no text tower beside it, which strategy.kind: zero_shot needs; remove the file, and bring or convert it again"
        )
    return found[0]
