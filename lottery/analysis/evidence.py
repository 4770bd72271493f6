"""The evidence that hypotheses are tested on: quantities of cells, summaries of tasks, and random draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lottery.analysis.columns import CELL
from lottery.analysis.strata import Strata

MATCHED = " matched"
"""Ends the name of a quantity of tickets at the first matched sparsity."""


def _empty(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True)
class Evidence:
    """The measurements of a run, or of a publication.

    cells: a row per (task, seed), a column per quantity, NaN where it is undefined or the ticket unusable. summaries:
    task, quantity, mean, variance (ddof 1) and n of quantities that are known by their mean and spread only. draws:
    task, seed, method, kind, draw and share of every usable ticket of the size that its search left, pruned, on dev.
    seeds: the number of seeds of a task, at most.
    """

    cells: pd.DataFrame
    summaries: pd.DataFrame = field(
        default_factory=lambda: _empty("task", "quantity", "mean", "variance", "n")
    )
    draws: pd.DataFrame = field(
        default_factory=lambda: _empty(*CELL, "method", "kind", "draw", "share")
    )
    seeds: int = 0
    _strata: dict[tuple[object, ...], Strata] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Strata so far: the same serve a claim over all tasks, in each of them, and other claims."""

    def strata(self, terms: Mapping[str, float], constant: float = 0.0) -> Strata:
        """Strata of sum(factor * quantity) + constant: from cells, or else from the summaries of tasks.

        Summaries of several quantities are taken as independent, which overstates the spread of a paired difference.
        Empty where a term was not measured.
        """
        key = (*terms.items(), constant)
        if key not in self._strata:
            self._strata[key] = self._strata_of(terms, constant)
        return self._strata[key]

    def _strata_of(self, terms: Mapping[str, float], constant: float) -> Strata:
        if set(terms) <= set(self.cells.columns):
            total = self.cells[list(terms)].astype(float) @ pd.Series(terms) + constant
            return Strata.of_cells(total)
        of_terms = self.summaries[self.summaries["quantity"].isin(list(terms))]
        factors = of_terms["quantity"].map(dict(terms)).astype(float)
        parts = of_terms.assign(
            mean=factors * of_terms["mean"], variance=factors**2 * of_terms["variance"]
        )
        sums = parts.groupby("task", sort=False).agg(
            mean=("mean", "sum"), variance=("variance", "sum"), n=("n", "min"), terms=("n", "size")
        )
        complete = sums[sums["terms"] == len(terms)]
        return Strata(
            complete.index.tolist(),
            complete["mean"].to_numpy(np.float64) + constant,
            complete["variance"].to_numpy(np.float64),
            complete["n"].to_numpy(np.float64),
        )

    def masks(self, method: str) -> pd.DataFrame:
        """The draws of a method."""
        return self.draws[self.draws["method"] == method]
