"""The commands to try after a run; they fit what the run has left."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.runs.outcome import Transfer
    from thaw.kinds.kind import Words

Command = tuple[str, str]
"""A command and its purpose."""

_PAGES = ("thaw ui", "show the report, the models in MLflow and the runs in Prefect")
_OTHER_HEAD = ("thaw config set strategy.kind=mlp", "try another head; then `thaw run` again")
_GATES = ("thaw promote --dry-run", "show what each gate found")


def next_commands(outcome: "Transfer", words: "Words") -> tuple[Command, ...]:
    """Three commands."""
    promotion = outcome.promotion
    if outcome.registered is None:
        return (
            ("thaw run", "run all stages, and promote the model"),
            ("thaw status", "show what is up to date"),
            _PAGES,
        )
    if promotion is None:
        return (("thaw promote", "ask the gates about the new version"), _PAGES, _OTHER_HEAD)
    if promotion.promoted:
        return (("thaw predict FOLDER", f"label a folder of {words.many} with the champion"), _PAGES, _OTHER_HEAD)
    if promotion.former is None:
        return (_GATES, _PAGES, ('thaw promote --override "WHY"', "make it the champion all the same, for a reason"))
    champion = f"label a folder of {words.many} with the champion, version {promotion.former}"
    return (_GATES, ("thaw predict FOLDER", champion), ("thaw models log", "show every decision, and why"))
