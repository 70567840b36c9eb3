"""The report's words for each target: metrics, headings and captions. The kind's words stand in braces: {many}, {one}."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thaw.kinds.kind import Words
from thaw.pages.layout import percent
from thaw.targets.target import TargetName

if TYPE_CHECKING:
    from thaw.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class Wording:
    """The words of one target. metrics: each metric's title and meaning, the headline first.

    head: what follows the kind of head. against: what baselines do. columns: of the matrix; matrix_name: of its file. counted: what the bars of the
    reliability diagram count. wrong: what is said of the examples that are not wholly right. named: what stands before a prediction, sure: after its
    probability.
    """

    metrics: Mapping[str, tuple[str, str]]
    head: str
    against: str
    classes: str
    matrix_name: str
    columns: str
    matrix: str
    trust: str
    confidence: str
    right: str
    counted: str
    reliability: str
    mistakes: str
    wrong: str
    named: str
    sure: str


MACRO_F1 = ("Macro F1", "the mean over classes of F1, which punishes wrong finds and missed ones alike")

WORDING: Mapping[TargetName, Wording] = {
    "one_label": Wording(
        metrics={
            "accuracy": ("Accuracy", "share of tests that are right"),
            "balanced_accuracy": ("Balanced accuracy", "the mean over classes of the share that is right"),
            "macro_f1": MACRO_F1,
            "log_loss": ("Log loss", "how surprised the model is by the labels; less is better"),
            "ece": ("Calibration error", "how far confidence and accuracy lie apart; less is better"),
        },
        head="",
        against="These predict the same",
        classes="Precision: of the {many} called so, the share that is. Recall: of the {many} that are, the share called so. F1 joins both.",
        matrix_name="confusion",
        columns="predicted",
        matrix="Rows are labels, columns predictions: what lies off the diagonal is wrong.",
        trust="Can its confidence be trusted?",
        confidence="confidence",
        right="share that is right",
        counted="{many}",
        reliability="Of the {many} given a confidence of 80 %, 80 % should be right: points on the dashed line are honest, below it too sure, above it too "
        "modest. The bars count the {many}.",
        mistakes="The most confident mistakes",
        wrong="are wrong. These are the ones that it was surest of",
        named="",
        sure="sure",
    ),
    "label_sets": Wording(
        metrics={
            "macro_f1": MACRO_F1,
            "micro_f1": ("Micro F1", "F1 over all labels alike: frequent classes count more"),
            "mean_average_precision": (
                "Mean average precision",
                "how well examples with a class rank above those without",
            ),
            "exact_match": ("Exact match", "share of tests whose whole set of labels is right"),
            "hamming_loss": ("Hamming loss", "share of yes-or-no decisions that are wrong; less is better"),
            "log_loss": ("Log loss", "how surprised the model is by a decision; less is better"),
            "ece": ("Calibration error", "how far probabilities and frequencies lie apart; less is better"),
        },
        head=", a yes or no for each class",
        against="These name labels of the same",
        classes="Precision: of the {many} named so, the share that shows it. Recall: of the {many} that show it, the share named so. F1 joins both. Average "
        "precision: how well the {many} that show it rank above the others. A class is named from its threshold on, which was tuned on {many} that were not "
        "learnt from (50 % where none of them shows it, or all do).",
        matrix_name="beside",
        columns="named",
        matrix="On the diagonal, of the {many} that show the row's class, those named so. Off it, of the {many} that show the row's class and not the "
        "column's, those that were named the column's all the same: false finds in its company.",
        trust="Can its probabilities be trusted?",
        confidence="probability",
        right="share that shows the class",
        counted="decisions",
        reliability="Of the decisions given a probability of 80 %, 80 % should show the class: points on the dashed line are honest. Each {one} is a decision "
        "for every class; the bars count them.",
        mistakes="The surest mistakes",
        wrong="have a label too many or too few. These are the ones that the model was surest of",
        named="named",
        sure="sure where it errs",
    ),
}


def spoken(text: str, words: Words) -> str:
    """A text with the kind's words for examples."""
    return text.format(many=words.many, one=words.one)


def verdict_of(evaluation: "Evaluation", words: Words) -> str:
    """The first sentence about a model, with its headline and without a full stop."""
    estimate, rows = evaluation.headline, f"{evaluation.n} test {words.many}"
    reached = evaluation.judged_by.reached(percent(estimate.value), rows)
    interval = f"({percent(evaluation.confidence)} interval {percent(estimate.low)} to {percent(estimate.high)})"
    return f"The model {reached} {interval}"
