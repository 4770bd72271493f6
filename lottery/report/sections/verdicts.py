"""The section of verdicts: the five clauses place by place, their effects, and all other claims."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.looks import EvidenceParameters, level
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Number, Paragraph, Table, Verdict
from lottery.report.clauses import EFFECTS, SENTENCES, UNITS, names, primary
from lottery.report.material import Material
from lottery.tickets.parameters import ImportanceParameters, MagnitudeParameters
from lottery.tickets.saliencies import GATE, MAGNITUDE, SALIENCIES
from lottery.wording import NONE, listed, number

FAMILIES = {
    "primary": "The five clauses",
    "secondary": "Secondary claims, each opened by the verdict on its clause",
    "own": "Claims that are not the paper's",
}
P_VALUE = (
    "one-sided, of the word that is given or, where undecided, of the nearer one of *reproduced* and *contradicted*;"
    " corrected (Holm) among the p values of the same word"
)


def verdicts(material: Material) -> Iterator[Block]:
    """The scoreboard as figure and words, the effects of the clauses, all effects, and the claims in full."""
    claims = material.tables["verdicts"]
    alpha = level(len(material.seeds), material.parameters[EvidenceParameters].looks)
    yield Paragraph(
        "The clauses: "
        + "; ".join(f"**{clause}** {sentence}" for clause, sentence in SENTENCES.items())
        + ". *Reproduced*: its test succeeds, that is, the effect is above 0 or, for P5, within 0.1 of 0."
        " *Contradicted*: the opposite does. *Equivalent*: the effect is within 0.1 of 0 where a difference was"
        f" claimed. Else *undecided*. The chance that *reproduced* is said of any clause that is false is at most"
        f" {alpha:.3g}, and so is that of each other word (Holm)."
    )
    yield from other_saliencies(material)
    yield Figure(
        material.figure("scoreboard"),
        "Grid of small dot plots, a row for each clause of the abstract and a column for the authors' data, for"
        f" {listed(material.titles.values())} and for all tasks: verdict, effect with interval, and a dot for every"
        " seed.",
        "Scoreboard. Markers: effect, with the interval that its test implies (rank tests have none); dots: its seeds,"
        " in the authors' data its tasks. Right of the dotted line supports the clause, near it P5; in brackets, the"
        " smallest effect that is found with 80 % power. Source: `tables/verdicts.csv`,"
        " `tables/verdict-tasks.csv`, `tables/verdict-cells.csv`.",
    )
    yield _words(material)
    yield _effects(claims)
    yield from _underpowered(claims)
    yield Figure(
        material.figure("forest"),
        "Forest plot: the effect of every primary and secondary claim with its interval, its verdict, and the effect in"
        " the authors' data.",
        "All effects over all tasks, by their unit; bold: the clauses. Open markers: no verdict, in brackets the"
        " smallest effect that is found with 80 % power. *Closed*: not tested, as the clause that it hangs on is"
        " undecided; *untested*: not measured in this run, or with fewer seeds than the test needs. Ticks: the authors'"
        " own effect. Source: `tables/verdicts.csv`.",
    )


def claims(material: Material) -> Iterator[Folded]:
    """Every claim of every family in full."""
    claims = material.tables["verdicts"]
    for family, title in FAMILIES.items():
        of_family = claims[claims["family"] == family]
        if len(of_family):
            yield Folded(
                f"{title}: every claim, its test and its verdict", list(_in_full(of_family))
            )


def other_saliencies(material: Material) -> Iterator[Paragraph]:
    """A warning where searches rank otherwise than the paper's do, which its claims are about."""
    parameters = material.parameters
    units, weights = (
        SALIENCIES[name]
        for name in (
            parameters[ImportanceParameters].saliency,
            parameters[MagnitudeParameters].saliency,
        )
    )
    if (units, weights) != (GATE, MAGNITUDE):
        yield Paragraph(
            f"Here heads and MLPs are ranked by {units.title}, weights by {weights.title}; the paper, and the authors'"
            f" data, rank by {GATE.title} and {MAGNITUDE.title}. Claims about importance and about what survives are"
            " tested on this run's rankings, not on the paper's."
        )


def _words(material: Material) -> Table:
    claims = list(rows(primary(material.tables["verdicts"])))
    by_task = material.tables["verdict-tasks"].set_index(["claim", "task"])["verdict"].to_dict()
    body: list[list[Entry]] = [
        ["authors' data", *(Verdict(row.published_verdict) for row in claims)]
    ]
    for task, title in material.titles.items():
        words = [by_task.get((row.claim, task), "untested") for row in claims]
        body.append([title, *map(Verdict, words)])
    body.append(["all tasks", *(Verdict(row.verdict) for row in claims)])
    return Table(
        "Verdicts on the clauses in the authors' own data (BERT-base), on each task, and over all tasks. Source:"
        " `tables/verdicts.csv`, `tables/verdict-tasks.csv`.",
        ["where", *(row.clause for row in claims)],
        body,
    )


def _effects(claims: pd.DataFrame) -> Table:
    titles = names(claims)
    return Table(
        "Effects behind the clauses over all tasks; above 0 supports, for P5 near 0."
        f" p: {P_VALUE}. Detectable: the smallest effect that this run finds with 80 % power. The authors"
        " published no draws: their effects on P1 and P2 are differences of r. Source: `tables/verdicts.csv`.",
        ["clause", "effect [interval]", "of", "cells", "p", "detectable", "authors"],
        [
            [
                titles[row.claim],
                numbers.effect(row),
                EFFECTS[row.clause],
                numbers.number(row.cells, 0),
                numbers.probability(row.p_adjusted),
                numbers.number(row.detectable, 2),
                numbers.number(row.published_effect, 2),
            ]
            for row in rows(primary(claims))
        ],
    )


def _underpowered(claims: pd.DataFrame) -> Iterator[Paragraph]:
    """The smallest detectable effect of each undecided clause."""
    undecided = claims[
        (claims["verdict"] == "undecided")
        & claims["detectable"].notna()
        & (claims["family"] == "primary")
    ]
    if len(undecided):
        titles = names(claims)
        needed = listed(
            f"{titles[row.claim]} ({number(row.detectable, 2)}; seen: {number(row.effect, 2)})"
            for row in rows(undecided)
        )
        yield Paragraph(
            "Undecided does not mean absent. The smallest effect that this run would have found with 80 % power:"
            f" {needed}."
        )


def _replicates(row: Any) -> Entry:
    """The replicates of an effect in words: `9 cells (3)`, or `3 seeds` of all tasks together."""
    if not row.cells:
        return NONE
    of_tasks = "" if row.replicates == "seeds" else f" ({number(row.tasks, 0)})"
    return Number(f"{number(row.cells, 0)} {row.replicates}{of_tasks}", row.cells)


def _in_full(claims: pd.DataFrame) -> Iterator[Table]:
    """Verdicts with all numbers, and sentences with their tests."""
    yield Table(
        "Verdicts: effect over all tasks with its interval, n replicates (of k tasks), p before and after correction"
        f" ({P_VALUE}), smallest detectable effect, and verdict and effect in the authors' data."
        " Source: `tables/verdicts.csv`.",
        [
            "claim",
            "verdict",
            "effect",
            "unit",
            "n",
            "p",
            "p, corrected",
            "detectable",
            "authors",
            "authors' effect",
        ],
        [
            [
                row.claim,
                Verdict(row.verdict),
                numbers.effect(row),
                UNITS[row.unit],
                _replicates(row),
                numbers.probability(row.p),
                numbers.probability(row.p_adjusted),
                numbers.number(row.detectable, 2),
                Verdict(row.published_verdict),
                numbers.number(row.published_effect, 2),
            ]
            for row in rows(claims)
        ],
    )
    yield Table(
        "The claims in full. Source: `tables/verdicts.csv`.",
        ["claim", "sentence", "test", "section of the paper"],
        [[row.claim, row.sentence, f"`{row.test}`", str(row.section)] for row in rows(claims)],
    )
