"""The tables of other papers: verdicts on their claims, and their published numbers beside ours."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lottery.analysis import verdict_tables
from lottery.analysis.looks import level
from lottery.analysis.other_papers import numbers, quantities
from lottery.analysis.other_papers.claims import PAPERS
from lottery.analysis.verdicts import decide


def tables(
    run: Mapping[str, pd.DataFrame],
    rewound: pd.DataFrame,
    transferred: pd.DataFrame,
    tasks: Sequence[str],
    seeds: int,
    looks: Sequence[int],
) -> dict[str, pd.DataFrame]:
    """The tables of a run that rewinds or transfers masks, from its other tables and the records of these parts."""
    if rewound.empty and transferred.empty:
        return {}
    evidence = quantities.of_run(run, rewound, transferred)
    families = {paper.name: paper.claims for paper in PAPERS}
    decisions = decide(families, evidence, tasks, level(seeds, looks))
    return {
        "papers": verdict_tables.over_tasks(decisions, {}),
        "paper-numbers": numbers.table(run),
    }
