"""Fine-tuning: training layers of the backbone, from the head downwards."""

from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.finetuning.images import LabelledImages

__all__ = ["Desk", "LabelledImages", "Start", "finetune"]
