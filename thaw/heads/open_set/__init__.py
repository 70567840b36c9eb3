"""Openness: a model may answer "neither" for an input of no known class."""

from thaw.heads.open_set.fitted import Openness, Tuning
from thaw.heads.open_set.storage import read_openness, remove_openness, write_openness

__all__ = ["Openness", "Tuning", "read_openness", "remove_openness", "write_openness"]
