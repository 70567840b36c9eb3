"""A version's lineage as a tree on the terminal."""

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from tasks.lineage.wording import NOT_RECORDED, facts_of, moment

if TYPE_CHECKING:
    from tasks.lineage.lineage import Lineage


def tree_of(lineage: "Lineage") -> Tree:
    """A tree with the version at the root and a branch for each fact, stage output and promotion in its lineage."""
    version = lineage.version
    aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
    tree = Tree(
        Text.assemble((f"{version.uri}{aliases}", "bold"), f", made {moment(version.created)}"), guide_style="dim"
    )
    for name, value in facts_of(lineage):
        tree.add(_line(name, value))
    _add_stages(tree, lineage)
    _add_promotions(tree, lineage)
    return tree


def _add_stages(tree: Tree, lineage: "Lineage") -> None:
    branch = tree.add(_line("dvc.lock", "" if lineage.stages else NOT_RECORDED))
    for stage in lineage.stages:
        outs = branch.add(_line(stage.name, ""))
        for out in stage.outs:
            outs.add(_line(out.path, out.md5))


def _add_promotions(tree: Tree, lineage: "Lineage") -> None:
    branch = tree.add(_line("promotion", "" if lineage.promotions else "none so far"))
    for event in lineage.promotions:
        branch.add(_line(event.kind, f"{event.when}, by {event.who}: {event.reason}"))


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name}  ", "cyan"), (value, "dim" if value == NOT_RECORDED else ""), overflow="fold")
