"""Fine-tuning: the training of layers of the backbone, from the head downwards."""
