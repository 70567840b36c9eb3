"""`python -m tasks.stages.evaluate`."""

from tasks.project.entry import stage
from tasks.stages.evaluate.stage import main

stage(main)
