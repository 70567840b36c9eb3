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

    head: the words after the kind of head. against: the sentence before the number of examples. columns: of the matrix; matrix_name: of its file. confusions:
    the words before the most frequent ones; empty if the matrix has none. counted: by the bars of the reliability diagram. wrong: the predicate of examples
    that are not wholly right. named: the word before a prediction. sure: the words after its probability.
    """

    metrics: Mapping[str, tuple[str, str]]
    head: str
    against: str
    classes: str
    matrix_name: str
    columns: str
    matrix: str
    confusions: str
    trust: str
    confidence: str
    right: str
    counted: str
    reliability: str
    mistakes: str
    wrong: str
    named: str
    sure: str


MACRO_F1 = ("Macro F1", "the mean of F1 over the classes; false finds and missed ones lower F1 equally")

WORDING: Mapping[TargetName, Wording] = {
    "one_label": Wording(
        metrics={
            "accuracy": ("Accuracy", "share of right predictions"),
            "balanced_accuracy": ("Balanced accuracy", "the mean over the classes of the share of right predictions"),
            "macro_f1": MACRO_F1,
            "log_loss": ("Log loss", "the model's surprise at the labels; less is better"),
            "ece": ("Calibration error", "the distance between confidence and accuracy; less is better"),
        },
        head="",
        against="The model and the baselines predict the same",
        classes="Precision: of the {many} predicted as a class, the share with its label. Recall: of the {many} with the label, the share predicted as the "
        "class. F1 combines the two.",
        matrix_name="confusion",
        columns="predicted",
        matrix="Rows are labels, and columns are predictions. The diagonal counts the right predictions.",
        confusions="Most often taken for another",
        trust="Can its confidence be trusted?",
        confidence="confidence",
        right="share that is right",
        counted="{many}",
        reliability="Of the {many} with a confidence of 80 %, 80 % should be right. On the dashed line the confidence is honest, below it too high, above it "
        "too low. The bars count the {many}.",
        mistakes="The most confident mistakes",
        wrong="are predicted wrongly. The mistakes with the highest confidence are shown",
        named="",
        sure="sure",
    ),
    "label_sets": Wording(
        metrics={
            "macro_f1": MACRO_F1,
            "micro_f1": ("Micro F1", "F1 over all labels together; frequent classes count more"),
            "mean_average_precision": (
                "Mean average precision",
                "the ranking of examples with a class above the others; 100 % is perfect",
            ),
            "exact_match": ("Exact match", "share of predictions whose whole set of labels is right"),
            "hamming_loss": ("Hamming loss", "share of yes-or-no decisions that are wrong; less is better"),
            "log_loss": ("Log loss", "the model's surprise at the labels; less is better"),
            "ece": ("Calibration error", "the distance between probabilities and frequencies; less is better"),
        },
        head=", a yes or no for each class",
        against="The model and the baselines name labels of the same",
        classes="Precision: of the {many} for which a class is named, the share that shows it. Recall: of the {many} that show the class, the share for "
        "which it is named. F1 combines the two. Average precision: the ranking of the {many} that show the class above the others. A class is named if its "
        "probability reaches its threshold. The thresholds were tuned on {many} that were not learnt from; a threshold is 50 % if none or all of them "
        "show the class.",
        matrix_name="beside",
        columns="named",
        matrix="On the diagonal: of the {many} that show the row's class, the number for which it is named. Off the diagonal: of the {many} that show the "
        "row's class and not the column's, the number for which the column's is named falsely.",
        confusions="",
        trust="Can its probabilities be trusted?",
        confidence="probability",
        right="share that shows the class",
        counted="decisions",
        reliability="Of the decisions with a probability of 80 %, 80 % should show the class. On the dashed line the probability is honest. Each {one} has a "
        "decision for every class; the bars count the decisions.",
        mistakes="The most confident mistakes",
        wrong="have a label too many or too few. The mistakes with the highest confidence are shown",
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
    by = "" if evaluation.groups is None else " by group"
    interval = f"({percent(evaluation.confidence)} interval{by} {percent(estimate.low)} to {percent(estimate.high)})"
    return f"The model {reached} {interval}"


def by_group(groups: int, words: Words) -> str:
    """What intervals over groups are, and why they are wider."""
    if groups == 1:
        return f"All test {words.many} are of one group, which tells nothing of another patient or speaker, so the intervals take in everything."
    return (
        f"All intervals are by group: they draw the {groups} groups of the test {words.many}, such as patients or speakers, anew, each as a whole. "
        f"The {words.many} of a group are alike, so they tell less than as many {words.many} of different groups, and an interval over single {words.many} "
        "would be too narrow."
    )
