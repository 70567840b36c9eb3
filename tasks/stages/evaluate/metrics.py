"""The metrics of an evaluation for DVC and MLflow: nested names and plain numbers."""

from tasks.stages.evaluate.report_files import with_intervals
from tasks.stages.evaluate.scrutiny_files import scrutiny_metrics
from thaw.evaluation.evaluation import Evaluation, Rejections
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.strategies.certificate.record import Certificate, figures_of


def metrics_of(evaluation: Evaluation) -> dict[str, object]:
    """The figures for DVC and MLflow, as nested names and plain numbers."""
    headline = evaluation.judged_by.headline
    baselines = {baseline.name: {headline: baseline.headline.value} for baseline in evaluation.baselines}
    groups = {} if evaluation.groups is None else {"groups": evaluation.groups}
    return {
        "test": {"n": evaluation.n, **groups, **with_intervals(vars(evaluation.metrics))},
        "baselines": baselines,
        **({} if evaluation.transfer is None else {"transfer": _transfer(evaluation)}),
        **({} if evaluation.predicted is None else {"advice": _advice(evaluation, evaluation.predicted)}),
        **({} if evaluation.certificate is None else {"certificate": _certificate(evaluation.certificate)}),
        **({} if evaluation.rejections is None else {"openness": _openness(evaluation.rejections)}),
        **({} if evaluation.scrutiny is None else scrutiny_metrics(evaluation.scrutiny)),
    }


def _certificate(certificate: Certificate) -> dict[str, object]:
    return {entry.name: figures_of(entry, certificate.judged_by) for entry in certificate.entries}


def _openness(rejections: Rejections) -> dict[str, object]:
    """The figures of the tuning and of the test examples, without those that could not be measured."""
    chosen = rejections.tuning.chosen
    figures = {
        "tuned_false_accepts": chosen.false_accepts,
        "tuned_false_accepts_upper": chosen.upper,
        "tuned_false_rejects": chosen.false_rejects,
        "auroc": chosen.auroc,
        "false_rejects": rejections.false_rejects,
        "accuracy_of_accepted": rejections.accuracy_of_accepted,
        "false_accepts": rejections.false_accepts,
    }
    return {"score": chosen.score, **{name: value for name, value in figures.items() if value is not None}}


def _transfer(evaluation: Evaluation) -> dict[str, object]:
    transfer = evaluation.transfer
    assert transfer is not None
    gains: dict[str, object] = {}
    for gain in transfer.gains:
        interval = transfer.interval(gain)
        figures = {"difference": interval.value, "low": interval.low, "high": interval.high}
        gains[gain.over] = {evaluation.judged_by.headline: transfer.contender(gain.over).mean, **figures}
    return {"seeds": len(transfer.seeds), "frozen": transfer.contender("frozen").mean, **gains}


def _advice(evaluation: Evaluation, predicted: Estimate) -> dict[str, float]:
    """The headline that the advice predicted beside the measured one, as a measurement of the advice."""
    foretold = {"predicted": predicted.value, "predicted_low": predicted.low, "predicted_high": predicted.high}
    return {**foretold, "realised": evaluation.headline.value}
