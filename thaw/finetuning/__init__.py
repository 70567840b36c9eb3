"""Fine-tuning: training layers of the backbone, from the head downwards."""

from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.kinds.labelled_inputs import LabelledImages

__all__ = ["Desk", "LabelledImages", "Start", "finetune"]
