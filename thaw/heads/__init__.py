"""Heads: small models that are trained on the frozen backbone's features."""

from thaw.heads.fitted import FittedHead, Setting, Trial
from thaw.heads.fitting import fit_head
from thaw.heads.storage import read_head, write_head

__all__ = ["FittedHead", "Setting", "Trial", "fit_head", "read_head", "write_head"]
