"""A trigger that is ready to listen: the network, the detector, its threshold and its promise."""

from dataclasses import dataclass

from thaw.backbones.backbone import Backbone
from thaw.heads.trigger.detector import Detector
from thaw.targets.trigger.promise import Promise


@dataclass(frozen=True, eq=False)
class TriggerModel:
    """word: the name of the trigger. refractory: places between two events; the threshold is that of the promise."""

    word: str
    backbone: Backbone
    detector: Detector
    refractory: int
    promise: Promise
