"""The state that stages keep below `.thaw/` on this machine. It is no output, and its loss costs nothing but time."""

from pathlib import Path

NETWORKS = Path(".thaw/networks")
"""Networks that were converted for an engine."""
RECORD = Path(".thaw/extracted.json")
"""The record of the last extraction, by which the next one finds nothing to do."""
CACHE_LOCK = Path(".thaw/features.lock")
"""The lock of processes that add to the cached features or remove some (`thaw.foundation.files.shared_lock`)."""
CHECKPOINTS = Path(".thaw/checkpoints")
"""The checkpoints of unfinished fine-tunings, a folder for each stage that trains."""
ACTIVATIONS = Path(".thaw/activations")
"""The outputs of frozen layers below thawed ones, kept for the next fine-tuning."""
TOO_MANY = Path(".thaw/rejected.csv")
"""The files that the last ingestion rejected, where they were too many to go on."""
ADVICES = Path(".thaw/advices")
"""The measured pieces of the last advice, and of an unfinished one; a folder for each state of its inputs."""
BASELINES = Path(".thaw/baselines")
"""What trained baselines named of the test examples, in the last evaluation and in an unfinished one; a folder for each state of its inputs."""
CONTESTS = Path(".thaw/contests")
"""The trials of an unfinished certificate, a folder for each state of its inputs."""
