"""Holm's correction of a family of tests, and the level at which it decides each of them."""

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

Array = NDArray[np.float64]


def holm(values: Array) -> Array:
    """Holm's corrected p values [m]. NaN marks a test that was not made: it stays NaN and does not count."""
    corrected = np.full(len(values), np.nan)
    tested = ~np.isnan(values)
    if tested.any():
        corrected[tested] = multipletests(values[tested], method="holm")[1]
    return corrected


def holm_levels(values: Array, alpha: float) -> Array:
    """The level [m] at which Holm's procedure decides each test: it rejects where p is at most this.

    The k-th smallest of m p values is tested at alpha / (m - k + 1), until one is larger; all that remain are tested
    at its level. NaN where no test was made.
    """
    levels = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    for rank, index in enumerate(order):
        level = alpha / (len(order) - rank)
        if values[index] > level:
            levels[order[rank:]] = level
            break
        levels[index] = level
    return levels
