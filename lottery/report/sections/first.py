"""The beginning of the report: the experiment in a few sentences, and the lottery as one figure."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.verdicts import DECIDED
from lottery.report.blocks import Block, Figure, Paragraph
from lottery.report.clauses import names, primary
from lottery.report.figures.fan import FLOOR
from lottery.report.material import Material
from lottery.tickets.methods import METHODS
from lottery.vocabulary import UNITS
from lottery.wording import counted, listed, number


def first(material: Material) -> Iterator[Block]:
    """The question and the outcome, and the fan."""
    yield Paragraph(f"{_question(material)} {_outcome(material)}")
    averages = material.tables["averages"]
    random = (
        "; dots: good masks on random weights" if "reinitialised" in set(averages["state"]) else ""
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
        f" words reaches{random}. Ticks at the side: the authors' means. r below {number(FLOOR, 2)} is drawn"
        " there. Source: `tables/draws.csv`, `tables/cells.csv`, `tables/averages.csv`, `tables/published.csv`.",
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
    """The clauses of each verdict, and the tasks that decide otherwise."""
    claims, tasks = primary(material.tables["verdicts"]), material.tables["verdict-tasks"]
    titles = names(claims)
    otherwise = partial(_otherwise, material, tasks)
    by_verdict = claims.groupby("verdict", sort=False)["claim"].agg(list)
    parts = [
        f"{listed(f'*{titles[claim]}*{otherwise(claim, str(verdict))}' for claim in clauses)}"
        f" {'is' if len(clauses) == 1 else 'are'} {verdict}"
        for verdict, clauses in by_verdict.items()
    ]
    return f"Of the {counted(len(claims), 'clause')} of its abstract, {listed(parts)}."


def _otherwise(material: Material, tasks: pd.DataFrame, claim: str, verdict: str) -> str:
    """The decided verdicts of single tasks that are not the one over all tasks, in brackets."""
    of_claim = tasks[
        (tasks["claim"] == claim)
        & tasks["task"].isin(material.titles)
        & tasks["verdict"].isin(DECIDED)
        & (tasks["verdict"] != verdict)
    ]
    words = [f"{row.verdict} on {material.titles[row.task]}" for row in rows(of_claim)]
    return f" ({listed(words)})" if words else ""
