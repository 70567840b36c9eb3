"""The figure of the ranking: accuracy with its interval against the operations for one example."""

from matplotlib.figure import Figure

from thaw.evaluation.backbone_ranking.words import amount
from thaw.kinds.kind import Words
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis
from thaw.strategies.backbone_ranking import Ranking
from thaw.targets.target import target_named


def front_figure(ranking: Ranking, examples: Words) -> Figure:
    """Each backbone by its number in the ranking. Blue: the front, joined by a line; orange: some other backbone is as accurate and as cheap."""
    figure, axes = new_figure(5.2, 3.8)
    for number, ranked in enumerate(ranking.backbones, 1):
        value, cost = ranked.accuracy, ranked.operations or 1.0
        color = BLUE if ranked.on_front else VERMILION
        axes.plot([cost] * 2, [value.low, value.high], color=color, linewidth=3, alpha=0.4)
        axes.plot(cost, value.value, "o" if ranked.on_front else "D", color=color, markersize=6)
        place = (6, 4) if ranked.on_front else (6, -11)
        axes.annotate(str(number), (cost, value.value), place, textcoords="offset points", fontsize=9, color=INK)
    front = sorted((each.operations or 1.0, each.accuracy.value) for each in ranking.backbones if each.on_front)
    axes.step([cost for cost, _ in front], [value for _, value in front], where="post", color=MUTED, linewidth=1)
    costs = [ranked.operations or 1.0 for ranked in ranking.backbones]
    axes.set_xscale("log")
    axes.set_xlim(min(costs) / 2, max(costs) * 2)
    ticks = [10**power for power in range(0, 15, 2) if min(costs) / 2 <= 10**power <= max(costs) * 2] or [min(costs)]
    axes.set_xticks(ticks, [amount(tick) for tick in ticks], fontsize=8)
    axes.minorticks_off()
    low = min(ranked.accuracy.low for ranked in ranking.backbones)
    high = max(ranked.accuracy.high for ranked in ranking.backbones)
    reach = max(0.02, 0.08 * (high - low))
    percent_axis(axes, "y", max(0.0, low - reach), min(1.0 + reach / 4, high + reach))
    axes.set_xlabel(f"operations for one {examples.one}", color=INK)
    axes.set_ylabel(target_named(ranking.target).share(examples.many), color=INK)
    return figure
