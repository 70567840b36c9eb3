"""Fine-tuning: training layers of the backbone, from the head downwards."""

from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.kinds.labelled_inputs import LabelledInputs

__all__ = ["Desk", "LabelledInputs", "Start", "finetune"]
