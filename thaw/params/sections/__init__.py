"""Every parameter of `params.yaml`: its type, its default, its allowed values and its meaning."""

from thaw.params.sections.dataset import DatasetParams, SplitParams, Uncertain
from thaw.params.sections.extraction import BackboneParams, ExtractParams, Pooling, RayParams
from thaw.params.sections.finetuning import FinetuneParams, LoraParams, ScratchParams
from thaw.params.sections.head import HeadParams, OpennessParams, StrategyParams
from thaw.params.sections.measurement import Compared, CompareParams, EvaluateParams, StatisticsParams
from thaw.params.sections.release import MOST_TESTS, PromotionParams, RegistryParams, WatchParams
from thaw.params.sections.section import Section, Share
from thaw.params.sections.trigger import TriggerParams
from thaw.params.sections.whole import Params

__all__ = [
    "MOST_TESTS",
    "BackboneParams",
    "CompareParams",
    "Compared",
    "DatasetParams",
    "EvaluateParams",
    "ExtractParams",
    "FinetuneParams",
    "HeadParams",
    "LoraParams",
    "OpennessParams",
    "Params",
    "Pooling",
    "PromotionParams",
    "RayParams",
    "RegistryParams",
    "ScratchParams",
    "Section",
    "Share",
    "SplitParams",
    "StatisticsParams",
    "StrategyParams",
    "TriggerParams",
    "Uncertain",
    "WatchParams",
]
