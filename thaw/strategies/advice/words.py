"""The sentences of the advice, for the page and the terminal. `examples` are the words for the examples of the kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thaw.kinds.kind import Words
from thaw.pages.layout import percent, points, points_of
from thaw.params.values.strategy import Strategy, StrategyKind
from thaw.strategies.advice.options import Option
from thaw.strategies.advice.record import Advice

WORTH_LABELLING = 0.01
"""The least gain in accuracy of twice the labels at which the advice proposes to label more."""
COARSE = 0.02
"""The distance of options that the examples must be able to tell apart in order to rank strategies."""
BARGAIN = 1.5
"""The least factor in speed or size at which an option that is about as good is named."""
ABOUT_AS_GOOD = 0.02


_ACTIONS: Mapping[StrategyKind, str] = {
    "linear": "Keep the backbone as it is, and train a new last layer on {layer}",
    "mlp": "Keep the backbone as it is, and train several new layers on {layer}",
    "knn": "Keep the backbone as it is, and label by the nearest neighbours at {layer}",
    "cut": "Cut the backbone at {layer}, and train a linear layer there; what lies beyond is left out",
    "zero_shot": "Keep the backbone as it is, and train nothing: the names of the classes are the head, by the backbone's text tower",
    "last_blocks": "Start from the pretrained weights, and fine-tune the last {blocks}",
    "lora": "Start from the pretrained weights, and train low-rank adapters of all blocks (LoRA), which are merged into the weights",
    "full": "Start from the pretrained weights, and fine-tune all layers",
    "scratch": "Train the whole network from random weights",
    "plain": "Leave the backbone out, and train the plain model, which transfers nothing",
}


def action(strategy: Strategy) -> str:
    """The action of a strategy, as a sentence without its full stop."""
    blocks = "block" if strategy.blocks == 1 else f"{strategy.blocks} blocks"
    return _ACTIONS[strategy.kind].format(layer=strategy.layer, blocks=blocks)


def verdict(advice: Advice) -> str:
    """The first sentences: the action, its reason, and the predicted result."""
    followed, recommended = advice.followed, advice.recommended
    text = f"{action(followed.strategy)}: {followed.reason}."
    if followed.predicted is not None:
        predicted = followed.predicted
        text += f" Predicted {advice.judged_by.title}: {percent(predicted.value)} ({percent(predicted.low)} to {percent(predicted.high)})."
    if not advice.automatic and followed.strategy != recommended.strategy:
        text += f" The advice would have been: {action(recommended.strategy).lower()}, because {recommended.reason}."
    return text


def the_case(advice: Advice, examples: Words) -> str:
    """The case, and the classic rule beside the measurement."""
    size, case = advice.size, advice.case
    near = f" ({size.effective} if near-duplicates count once)" if size.effective < size.examples else ""
    text = (
        f"{capital(str(case))}. There are {size.examples:,} labelled {examples.many} to learn from{near}, {size.labels_a_class:g} a class in the median; "
        f"{case.why}. The classic rule says: {case.rule}."
    )
    if advice.recommended.strategy.kind not in case.kinds:
        return f"{text} What was measured here does not bear that out, and the measurement counts."
    return f"{text} What was measured here agrees."


def ranking(advice: Advice, examples: Words) -> str:
    """The smallest difference that these examples can show, with a plain sentence if they cannot rank strategies."""
    evidence, resolution = advice.evidence, advice.resolution
    if resolution is None:
        return f"{examples.counted(evidence.rows)} judged the options; they are too few, or their verdicts too alike, to tell any two options apart."
    text = (
        f"Layers and linear heads are judged in {evidence.folds} folds of {_sample(advice, examples)}; the folds were drawn {_times(evidence.repeats)}. "
        f"The table says what every other option was judged on. The test {examples.many} were not looked at. "
        f"On {examples.counted(evidence.rows)}, differences below about {points_of(resolution)} cannot be told from chance"
    )
    text += ": they cannot rank strategies that lie closer than that." if resolution > COARSE else "."
    for count, name in ((evidence.validation, "validation"), (evidence.test, "test")):
        alone = resolution * (evidence.rows / count) ** 0.5 if count else 0.0
        if alone > COARSE:
            text += f" The {count:,} {name} {examples.many} alone could tell no less than {points_of(alone)}: they cannot rank strategies."
    return text


def _sample(advice: Advice, examples: Words) -> str:
    labelled = advice.evidence.labelled
    if advice.evidence.rows < 0.9 * labelled:
        return f"a sample of the {labelled:,} labelled {examples.many} of train and validation"
    return f"the {labelled:,} labelled {examples.many} of train and validation"


def compared_on(advice: Advice, examples: Words) -> str:
    """The examples on which layers are compared with features without pretraining."""
    comparison = advice.comparison
    if comparison is None:
        return ""
    rows, every = comparison.rows, advice.evidence.rows
    if rows == every:
        return f"All are judged on the same {rows:,} {examples.many}, and in the same folds as the layers above."
    return (
        f"All are judged on the same {rows:,} {examples.many}, a sample of the {every:,} that judge the layers above; the best layer's figure is of "
        "the sample."
    )


def next_steps(advice: Advice, examples: Words) -> tuple[str, ...]:
    """The next steps for the user."""
    steps = []
    if len(advice.layers) == 1:
        steps.append(
            "Depth cannot be judged, because features of one cut layer are cached. `thaw config set backbone.layers=[blocks]` caches several, "
            "spread over the network, in one pass; then `thaw advise` again."
        )
    if advice.curve is not None and advice.curve.prospects:
        twice = advice.curve.prospects[0].gain
        if twice.low >= WORTH_LABELLING:
            steps.append(f"Label more {examples.many}: twice as many should bring {points(twice)}.")
        elif twice.high < WORTH_LABELLING:
            steps.append(f"More labels would bring little: twice as many, {points(twice)}.")
    steps.extend(_bargain(advice, option) for option in advice.options if _is_bargain(advice, option))
    untried = [option for option in advice.options if not option.measured and option.minutes is not None]
    if untried:
        names = ", ".join(str(option.strategy) for option in untried)
        steps.append(
            f"Not tried for want of time: {names}. `thaw config set strategy.minutes=N` gives the advice more."
        )
    if advice.size.effective < 0.95 * advice.size.examples:
        more = advice.size.examples - advice.size.effective
        steps.append(
            f"{more:,} of the {examples.many} are near-duplicates of others: they teach little, and are worth less than their number."
        )
    if not advice.automatic and advice.followed.strategy != advice.recommended.strategy:
        steps.append("`thaw config set strategy.kind=auto strategy.layer=null` follows the advice.")
    return tuple(steps) or ("Nothing: `thaw run` follows the advice.",)


def _is_bargain(advice: Advice, option: Option) -> bool:
    """Whether an option is about as good as the followed one, and much cheaper."""
    own = _followed(advice)
    if own is None or option is own or option.gain is None or own.gain is None:
        return False
    equal = option.gain.high >= own.gain.value and option.gain.low >= own.gain.value - ABOUT_AS_GOOD
    return equal and max(_times_faster(option, own), own.megabytes / option.megabytes) >= BARGAIN


def _bargain(advice: Advice, option: Option) -> str:
    own = _followed(advice)
    assert own is not None and option.gain is not None
    price = [f"{own.megabytes / option.megabytes:.1f} times as small"]
    if (faster := _times_faster(option, own)) > 1.1:
        price.append(f"{faster:.1f} times as fast")
    how = f"strategy.kind={option.strategy.kind} strategy.layer={option.strategy.layer}"
    name = capital(str(option.strategy))
    return f"{name} is about as good ({points(option.gain)}) and {' and '.join(price)}: `thaw config set {how}` if that matters to you."


def _followed(advice: Advice) -> Option | None:
    return next((option for option in advice.options if option.strategy == advice.followed.strategy), None)


def _times_faster(option: Option, own: Option) -> float:
    if option.images_per_second is None or own.images_per_second is None:
        return 1.0
    return option.images_per_second / own.images_per_second


@dataclass(frozen=True)
class OptionRow:
    """A row of the options' table, ready to be shown."""

    name: str
    accuracy: str
    judged: str
    linear: str
    gain: str
    training: str
    megabytes: str
    speed: str
    note: str
    followed: bool


def columns(advice: Advice, examples: Words) -> tuple[str, ...]:
    """The headings of the options' table."""
    judged = (advice.judged_by.title, "judged on", "linear there", "gain over linear")
    return ("strategy", *judged, "training", "model", f"{examples.many}/s")


def option_rows(advice: Advice, examples: Words) -> tuple[OptionRow, ...]:
    """The options in their order."""
    return tuple(_row(advice, option, examples) for option in advice.options)


def _row(advice: Advice, option: Option, examples: Words) -> OptionRow:
    accuracy, gain = option.accuracy, option.gain
    reference = option.strategy.kind == "linear"
    return OptionRow(
        name=str(option.strategy),
        accuracy="not measured"
        if accuracy is None
        else f"{percent(accuracy.value)} ({percent(accuracy.low)} to {percent(accuracy.high)})",
        judged="" if accuracy is None else f"{examples.counted(option.rows)}, {_times(option.draws)}",
        linear="" if option.linear is None or reference else percent(option.linear),
        gain="" if gain is None or reference else points(gain),
        training="" if option.minutes is None else _time(option.minutes),
        megabytes=f"{option.megabytes:.1f} MB" if option.megabytes >= 1 else f"{option.megabytes:.2f} MB",
        speed="" if option.images_per_second is None else f"{option.images_per_second:,.0f}",
        note=option.note,
        followed=option.strategy == advice.followed.strategy,
    )


def _times(draws: int) -> str:
    return "once" if draws == 1 else "twice" if draws == 2 else f"{draws} times"


def _time(minutes: float) -> str:
    if minutes >= 1:
        return f"{minutes:.1f} min"
    return "< 0.1 s" if minutes < 0.1 / 60 else f"{60 * minutes:.1f} s"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def paragraphs_of(advice: Advice, examples: Words) -> Sequence[str]:
    """The paragraphs that open the page and the terminal."""
    return (the_case(advice, examples), *advice.doubts, ranking(advice, examples))
