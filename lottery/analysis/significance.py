"""Holm's correction of a family of tests, and the level at which it decides each of them."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm(values: Array) -> Array:
    """Holm's corrected p values [m]. NaN marks a test that was not made: it stays NaN and does not count."""
    corrected = np.full(len(values), np.nan)
    order = _ascending(values)
    steps = values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def _ascending(values: Array) -> NDArray[np.intp]:
    """Places of the p values of the tests that were made, the smallest first."""
    tested = np.flatnonzero(~np.isnan(values))
    order: NDArray[np.intp] = tested[np.argsort(values[tested], kind="stable")]
    return order


def holm_levels(values: Array, alpha: float) -> Array:
    """The level [m] at which Holm's procedure decides each test: it rejects where p is at most this.

    The k-th smallest of m p values is tested at alpha / (m - k + 1), until one is larger; all that remain are tested
    at its level. NaN where no test was made.
    """
    levels = np.full(len(values), np.nan)
    order = _ascending(values)
    for rank, index in enumerate(order):
        level = alpha / (len(order) - rank)
        if values[index] > level:
            levels[order[rank:]] = level
            break
        levels[index] = level
    return levels
