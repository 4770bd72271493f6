"""Everything the report is made of, by table name: the records of all cells in, tidy frames out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from lottery import observations, published, stability, survivors, tables, verdicts
from lottery.masks import Good
from lottery.survivors import Survivors


@dataclass(frozen=True)
class Gathered:
    """The records of all cells: scores, steps and importances as frames, and the good subnetworks."""

    scores: pd.DataFrame
    steps: pd.DataFrame
    importance: pd.DataFrame
    good: Sequence[Survivors]


@dataclass(frozen=True)
class Published:
    """What the authors published: scores over their seeds, and the masks of their good subnetworks."""

    results: pd.DataFrame
    masks: Sequence[Good]


def analyse(own: Gathered, authors: Published, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Every table by its name."""
    cells, curves = tables.cells(own.scores, tasks), tables.curves(own.steps)
    sizes = survivors.sizes(own.good, curves)
    overview = tables.overview(cells, sizes, tasks)
    judged = verdicts.judge(
        observations.observe(cells, own.good, own.importance),
        observations.published(authors.results, authors.masks),
    )
    return {
        "tasks": overview,
        "verdicts": pd.DataFrame([asdict(verdict) for verdict in judged]),
        "cells": cells,
        "results": tables.results(cells),
        "averages": tables.averages(cells, overview),
        "published": published.averages(authors.results),
        "selection": tables.selection(cells),
        "sizes": sizes,
        "survivors": survivors.survivors(sizes, tasks),
        "curves": curves,
        "survival": survivors.survival(own.good),
        "agreement": survivors.agreement(own.good, tasks),
        "stability": stability.stability(own.good),
        "importance": stability.importance_quantiles(own.importance),
        "importance-agreement": stability.importance_agreement(own.importance),
        "overlap": survivors.overlap(own.good, tasks),
    }
