"""Engines: ways to run a frozen backbone behind one small interface. The fastest engine with the right features is chosen."""

from thaw.backbones.engines.choosing import Chosen, Work, choose_engine
from thaw.backbones.engines.engine import Engine, Precision
from thaw.backbones.engines.precision import settle_precision

__all__ = ["Chosen", "Engine", "Precision", "Work", "choose_engine", "settle_precision"]
