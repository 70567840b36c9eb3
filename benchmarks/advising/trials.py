"""One trial of the advice: it chooses from the labelled pictures alone; then every strategy learns from them and is judged on others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from advising.targets import Pictures, draw_pictures
from pydantic import TypeAdapter, ValidationError

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.features.store.store import FeatureStore
from thaw.finetuning.fitting import Desk
from thaw.finetuning.pilot import FinetuningPilot
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.plain import plain_features
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import price_models
from thaw.params.sections import BackboneParams, FinetuneParams, HeadParams, StrategyParams
from thaw.params.values.strategy import PLAIN, Strategy
from thaw.strategies.advice.advising import PlainFeatures, Situation, advise
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.size import measure_size
from thaw.strategies.baselines.learners import BATCH, Inputs, frozen_learner
from thaw.strategies.baselines.transfer_gain import Draw
from thaw.strategies.certificate.competitors import Arena, build_baselines, build_competitor
from thaw.strategies.certificate.contest import Competitor, hold_contest
from thaw.strategies.certificate.paired import paired

WEIGHTS = Path(__file__).resolve().parents[2] / "data/pretrain/small.safetensors"
TEST = 800
"""Pictures that judge, unless the settings say otherwise; the others may be learnt from."""
UNLIMITED = 10_000.0
"""Minutes: what is chosen must not depend on how busy the machine is."""


@dataclass(frozen=True)
class Scenario:
    """What there is to learn: a target of `advising.targets`, so many labels of each class, and the seed of all that is drawn."""

    target: str
    labels_a_class: int
    seed: int

    def __str__(self) -> str:
        return f"{self.target}-{self.labels_a_class}-{self.seed}"


@dataclass(frozen=True)
class Settings:
    """How heads and networks are trained, in the advice and after it. test: the number of pictures that judge."""

    head: HeadParams
    finetune: FinetuneParams
    repeats: int
    test: int = TEST


@dataclass(frozen=True)
class Trial:
    """What came out. case: as the advice names it, with its similarity and whether data are small; chosen: the strategy; accuracies: on the test pictures,
    by strategy; behind: of the chosen one minus that of the best, paired, with its interval."""

    scenario: Scenario
    case: str
    similarity: str
    small: bool
    chosen: str
    accuracies: Mapping[str, float]
    behind: Estimate

    @property
    def best(self) -> str:
        return max(self.accuracies, key=lambda name: self.accuracies[name])

    @property
    def regret(self) -> float:
        """What the chosen strategy lacks of the best one's accuracy."""
        return self.accuracies[self.best] - self.accuracies[self.chosen]

    @property
    def over_linear(self) -> float:
        """The chosen strategy's accuracy less that of a linear head on the last layer."""
        return self.accuracies[self.chosen] - self.accuracies["linear"]


_ADAPTER = TypeAdapter(Trial)


def hold_trial(scenario: Scenario, settings: Settings, keep: Path, progress: Progress = untold) -> Trial:
    """Ask for advice, and hold the contest. What lies in `keep`, a folder for just these settings, is not done again."""
    path = keep / f"{scenario}.json"
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        trial = _hold(scenario, settings, keep / str(scenario), progress)
    write_bytes(path, _ADAPTER.dump_json(trial, indent=2) + b"\n")
    return trial


def _hold(scenario: Scenario, settings: Settings, folder: Path, progress: Progress) -> Trial:
    learnt, judged = split(draw_pictures(scenario.target, scenario.seed), scenario, settings.test)
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS), layers=("blocks",)))
    arena = _arena(backbone, learnt, judged, settings, folder)
    pilot = FinetuningPilot(
        backbone,
        arena.last,
        lambda: arena.train,
        arena.labelled(arena.last, torch.arange(len(learnt.targets))),
        settings.head,
        settings.finetune,
        arena.desk,
    )
    advice = _advise(arena, pilot, settings)
    competitors = _competitors(arena, pilot.strategies)
    draw = Draw(scenario.seed, torch.arange(len(learnt.targets)), learnt.targets)
    outcome = hold_contest(competitors, [draw], minutes=UNLIMITED, keep=folder, progress=progress)
    shown = np.eye(len(judged.class_names), dtype=np.bool_)[judged.targets.numpy()]
    accuracies = {name: float((named == shown).all(-1).mean()) for name, named in outcome.named.items()}
    best, chosen = max(accuracies, key=lambda name: accuracies[name]), str(advice.followed.strategy)
    behind = paired(outcome.named[chosen], outcome.named[best], shown, Resampling(2000)).accuracy
    case = advice.case
    return Trial(scenario, str(case), case.similarity, case.small, chosen, accuracies, behind)


def split(pictures: Pictures, scenario: Scenario, test: int = TEST) -> tuple[Pictures, Pictures]:
    """The labelled pictures, as many of each class; and those that judge."""
    order = torch.randperm(len(pictures.targets), generator=torch.Generator().manual_seed(scenario.seed))
    judge, pool = order[:test], order[test:]
    by_class = [
        pool[pictures.targets[pool] == number][: scenario.labels_a_class] for number in range(len(pictures.class_names))
    ]
    learn = torch.cat(by_class)
    mixed = torch.randperm(len(learn), generator=torch.Generator().manual_seed(scenario.seed))
    return pictures.rows(learn[mixed]), pictures.rows(judge)


def _arena(backbone: Backbone, learnt: Pictures, judged: Pictures, settings: Settings, folder: Path) -> Arena:
    train, test = _features(backbone, learnt.pixels), _features(backbone, judged.pixels)
    plain = plain_features(learnt.pixels, backbone.preprocessing)
    network = unfitted_plain(plain, len(learnt.class_names), backbone.preprocessing)
    plain_price = price_models(
        network, network.layers, learnt.pixels[:BATCH], len(learnt.class_names), settings.head.hidden
    )
    count = len(learnt.targets)
    images = LabelledInputs(
        learnt.pixels,
        torch.arange(count),
        tuple(row.to_bytes(32, "big") for row in range(count)),
        learnt.targets,
        learnt.class_names,
    )
    return Arena(
        backbone=backbone,
        features={layer: Inputs(train[layer][:, None], None, test[layer]) for layer in backbone.layers},
        train=images,
        val=None,
        test=judged.pixels,
        head=settings.head,
        finetune=settings.finetune,
        desk=Desk(folder / "checkpoints", FeatureStore(folder / "activations")),
        price=price_models(
            backbone, backbone.layers, learnt.pixels[:BATCH], len(learnt.class_names), settings.head.hidden
        ),
        plain=Inputs(plain, None, plain_features(judged.pixels, backbone.preprocessing)),
        plain_price=plain_price(Strategy("linear", network.layers[-1])),
    )


def _advise(arena: Arena, pilot: FinetuningPilot, settings: Settings) -> Advice:
    features = {layer: held.train[:, 0] for layer, held in arena.features.items()}
    pool = Pool(features, arena.train.targets, arena.class_names)
    situation = Situation(
        pool=pool,
        references=None,
        size=measure_size(features[arena.last], pool.targets, pool.class_names, copies=0),
        price=arena.price,
        pilot=pilot,
        labelled=len(pool),
        validation=0,
        test=len(arena.test),
        words=arena.backbone.words,
        plain=PlainFeatures(arena.plain.train, arena.plain_price),
    )
    return advise(situation, StrategyParams(repeats=settings.repeats, minutes=UNLIMITED), settings.head)


def _competitors(arena: Arena, thawing: Sequence[Strategy]) -> list[Competitor]:
    """Whatever the advice could choose; unlike in a certificate, each cut stands for itself."""
    frozen = [build_competitor(arena, Strategy(kind, arena.last)) for kind in ("linear", "mlp", "knn")]
    cuts = [Strategy("cut", layer) for layer in list(arena.features)[:-1]]
    return [
        *frozen,
        *(baseline for baseline in build_baselines(arena) if baseline.name == PLAIN),
        *(
            Competitor(str(cut), "strategy", frozen_learner(arena.features[cut.layer], arena.course(cut)))
            for cut in cuts
        ),
        # All take part, so what they would take need not be measured.
        *(replace(build_competitor(arena, strategy), seconds=None) for strategy in thawing),
    ]


def _features(backbone: Backbone, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    parts = [backbone.features(batch) for batch in pixels.split(BATCH)]
    return {layer: torch.cat([part[layer] for part in parts]).clone() for layer in backbone.layers}
