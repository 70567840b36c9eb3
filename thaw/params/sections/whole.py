"""The whole of `params.yaml`."""

from typing import Self

from pydantic import model_validator

from thaw.kinds.fitting import fitting_kind
from thaw.kinds.views import expand_views
from thaw.params.sections.dataset import DatasetParams
from thaw.params.sections.extraction import BackboneParams, ExtractParams
from thaw.params.sections.finetuning import FinetuneParams
from thaw.params.sections.head import HeadParams, OpennessParams, StrategyParams
from thaw.params.sections.measurement import CompareParams, EvaluateParams, StatisticsParams
from thaw.params.sections.release import PromotionParams, RegistryParams, WatchParams
from thaw.params.sections.section import Section
from thaw.params.sections.trigger import TriggerParams


class Params(Section):
    """All sections of `params.yaml`."""

    dataset: DatasetParams = DatasetParams()
    backbone: BackboneParams = BackboneParams()
    extract: ExtractParams = ExtractParams()
    strategy: StrategyParams = StrategyParams()
    head: HeadParams = HeadParams()
    openness: OpennessParams = OpennessParams()
    trigger: TriggerParams = TriggerParams()
    finetune: FinetuneParams = FinetuneParams()
    statistics: StatisticsParams = StatisticsParams()
    compare: CompareParams = CompareParams()
    evaluate: EvaluateParams = EvaluateParams()
    registry: RegistryParams = RegistryParams()
    promotion: PromotionParams = PromotionParams()
    watch: WatchParams = WatchParams()

    @model_validator(mode="after")
    def _train_on_views_that_are_cached(self) -> Self:
        kind = fitting_kind(self.dataset.kind, (*self.extract.views, *self.head.views), self.finetune.augment)
        missing = sorted(set(expand_views(self.head.views, kind)) - set(expand_views(self.extract.views, kind)))
        if missing:
            raise ValueError(f"head.views needs {', '.join(missing)}, and extract.views lacks it; add it there")
        return self

    @model_validator(mode="after")
    def _have_words_for_a_trigger(self) -> Self:
        if self.trigger.words and self.dataset.target != "trigger":
            raise ValueError(
                f"trigger.words {', '.join(self.trigger.words)} given, and dataset.target is {self.dataset.target}; set dataset.target to trigger, or leave "
                "the words out"
            )
        return self
