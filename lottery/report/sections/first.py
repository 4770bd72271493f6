"""The beginning of the report: the experiment in a few sentences, and the lottery as one figure."""

from collections.abc import Iterator

from lottery.report.blocks import Block, Figure, Paragraph
from lottery.report.clauses import primary
from lottery.report.material import Material
from lottery.tickets.methods import METHODS
from lottery.vocabulary import UNITS
from lottery.wording import counted, listed


def first(material: Material) -> Iterator[Block]:
    """The question and the outcome, and the fan."""
    yield Paragraph(f"{_question(material)} {_outcome(material)}")
    averages = material.tables["averages"]
    random = (
        ", and good masks on random weights" if "reinitialised" in set(averages["state"]) else ""
    )
    yield Figure(
        material.figure("fan"),
        "Scatter plots: chance-corrected score of subnetworks against the share of the encoder's weights that they"
        f" lack, for {listed(method.title for method in METHODS.values())}, pruned on the left and retrained on the"
        " right; lines fan out from the full model to good subnetworks above and random and bad ones below.",
        "The lottery. Every point is a subnetwork with a seed of a task: *good* is what pruning left, *random* as"
        " large and drawn at random, *bad* as large and made of what was pruned. Lines lead from the full model to"
        " the means of each cell. Left, the fine-tuned models without the pruned parts; right, trained again from"
        " the pre-trained weights under the same masks: how far training closes the fan. Dashes: what a bag of"
        f" words reaches{random}. Ticks at the side: the authors' means. Source:"
        " `tables/draws.csv`, `tables/cells.csv`, `tables/averages.csv`, `tables/published.csv`.",
    )


def _question(material: Material) -> str:
    removed = listed(
        (
            f"{listed(UNITS[unit] for unit in method.units)} ({method.title})"
            for method in METHODS.values()
        ),
        last="or",
    )
    tasks = f"{counted(len(material.tasks), 'task')} ({listed(material.titles.values())})"
    return (
        "Prasanna et al. (2020), here *the paper*, pruned BERT until its score began to fall and asked whether what is"
        " left is a winning lottery ticket, better than other subnetworks of its size. We repeat that with"
        f" {material.encoder} on {tasks} with {counted(len(material.seeds), 'seed')} each, removing {removed}."
    )


def _outcome(material: Material) -> str:
    claims = primary(material.tables["verdicts"])
    first, *others = [
        f"{count} {{}}{word}" for word, count in claims["verdict"].value_counts().items()
    ]
    be = "is " if first.startswith("1 ") else "are "
    words = listed([first.format(be), *(other.format("") for other in others)])
    return f"Of the {len(claims)} clauses of its abstract, {words}."
