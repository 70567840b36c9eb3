"""What stages keep below `.thaw/`: no outputs, but this machine's own state. Losing it costs time and nothing else."""

from pathlib import Path

NETWORKS = Path(".thaw/networks")
"""Networks that were converted for an engine."""
RECORD = Path(".thaw/extracted.json")
"""What the last run saw, for the next one that finds nothing to do."""
CACHE_LOCK = Path(".thaw/features.lock")
"""Held by who adds to the cached features, or takes away (`thaw.foundation.files.shared_lock`)."""
CHECKPOINTS = Path(".thaw/checkpoints")
"""Of fine-tunings under way, a folder for each stage that trains."""
ACTIVATIONS = Path(".thaw/activations")
"""What frozen layers below thawed ones gave, kept for the next fine-tuning."""
CONTESTS = Path(".thaw/contests")
"""Trials of a certificate under way, a folder for each state of its inputs."""
