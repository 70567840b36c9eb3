"""Engines: ways to run a frozen backbone, behind one small interface; the fastest that gives the right features is chosen."""

from thaw.engines.choosing import Chosen, choose_engine
from thaw.engines.engine import Engine, Precision

__all__ = ["Chosen", "Engine", "Precision", "choose_engine"]
