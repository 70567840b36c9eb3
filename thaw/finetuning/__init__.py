"""Fine-tuning: training layers of the backbone, from the head downwards."""
