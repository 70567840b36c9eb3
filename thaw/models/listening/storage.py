"""A trigger model on disk: the backbone's two files, and those of its detector; without pickle."""

from pathlib import Path

from thaw.backbones.backbone import read_written_backbone, write_backbone
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import replaced_folder
from thaw.heads.trigger.head import TriggerHead, WordDetector
from thaw.heads.trigger.storage import read_trigger_head, write_trigger_head
from thaw.models.listening.trigger_model import TriggerModel


def write_trigger(model: TriggerModel, folder: Path) -> None:
    """Write the folder as a whole, in place of an older one."""
    word = WordDetector(model.word, model.detector, model.refractory, model.promise)
    with replaced_folder(folder) as fresh:
        write_backbone(model.backbone, fresh)
        write_trigger_head(TriggerHead((word,)), fresh)


def read_trigger(folder: Path) -> TriggerModel:
    """Read the folder of `write_trigger`; the scores are the same bit for bit.

    Raises:
        BadArtifact: a file is missing, torn, of another version, or does not belong to the others; or there are several triggers.
    """
    head = read_trigger_head(folder)
    if len(head.detectors) > 1:
        raise BadArtifact(f"{folder} has the triggers {', '.join(head.class_names)}, and one is listened for at a time")
    (word,) = head.detectors
    try:
        backbone = read_written_backbone(folder)
    except OSError as error:
        raise BadArtifact(
            f"the trigger in {folder} cannot be read ({error.strerror or error}); `thaw trigger` makes it"
        ) from error
    return TriggerModel(word.word, backbone, word.detector, word.refractory, word.promise)
