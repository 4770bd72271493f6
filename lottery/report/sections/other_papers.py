"""The section on claims of other papers, in runs that rewind or transfer masks."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.other_papers.claims import PAPERS
from lottery.analysis.other_papers.quantities import LIGHT, LOW
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Folded, Paragraph, Table, Verdict
from lottery.report.material import Material
from lottery.wording import listed, setting


def other_papers(material: Material) -> Iterator[Block]:
    """Verdicts on the claims of other papers, and their published numbers beside ours; nothing without those parts."""
    claims = material.tables.get("papers")
    if claims is None:
        return
    works = (
        f"{paper.name} ([arXiv:{paper.arxiv}](https://arxiv.org/abs/{paper.arxiv}))"
        for paper in PAPERS
    )
    yield Paragraph(
        f"Claims of {listed(works)}, each paper a family of its own, tested as the paper's are. Scores of trained masks"
        " are corrected: 0 is the majority class, 1 the full model. Our encoder, tasks and lengths of training are not"
        " theirs: a verdict is about this run."
    )
    yield _claims(claims)
    yield Folded("Every claim of other papers and its test", [_in_full(claims)])
    yield Folded("Published numbers beside ours", [_numbers(material.tables["paper-numbers"])])


def _claims(claims: pd.DataFrame) -> Table:
    return Table(
        "Claims of other papers: effect over tasks with the interval that decides, p corrected within the family"
        " (Holm), and n cells. *Untested*: not measured in this run. Source: `tables/papers.csv`.",
        ["claim", "effect", "p", "verdict", "n"],
        [
            [
                row.claim,
                numbers.effect(row),
                numbers.probability(row.p_adjusted),
                Verdict(row.verdict),
                numbers.number(row.cells, 0),
            ]
            for row in rows(claims)
        ],
    )


def _in_full(claims: pd.DataFrame) -> Table:
    return Table(
        "What other papers claim, in our words, and how it is tested. *At 40 %*: at the largest sparsity up to"
        f" {setting(LOW)} that was trained; *lightly pruned*: at up to {setting(LIGHT)}. Source: `tables/papers.csv`.",
        ["claim", "where", "in our words", "test"],
        [[row.claim, row.section, row.sentence, row.test] for row in rows(claims)],
    )


def _numbers(table: pd.DataFrame) -> Table:
    return Table(
        "Numbers that other papers published on BERT or, Frankle and Carbin, on networks for images, and ours: means"
        " over tasks where no task is named, in which a task on which no pruned mask matches, or wins, has 0 % removed;"
        " scores of masks at the sparsities of controls. *Not verified*: from notes, not read in the source. Source:"
        " `tables/paper-numbers.csv`.",
        ["paper", "where", "quantity", "published", "status", "ours"],
        [
            [row.paper, row.place, row.quantity, row.published, row.status, _ours(row)]
            for row in rows(table)
        ],
    )


def _ours(row: Any) -> Entry:
    shown = numbers.percent if row.unit == "share" else numbers.number
    return shown(row.ours, 0 if row.unit == "share" else 1)
