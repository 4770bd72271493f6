"""Permutation tests within strata: random permutations along the last axis, and the p values they give."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 1999
TOLERANCE = 1e-12
"""Statistics closer than this are equal: sums in another order differ in their last bits."""
Array = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)


def permutations(values: NDArray[T], rng: np.random.Generator) -> NDArray[T]:
    """PERMUTATIONS copies of `values` [R, ...], each row of the last axis permuted by itself."""
    return rng.permuted(np.broadcast_to(values, (PERMUTATIONS, *values.shape)), axis=-1)


def greater(observed: float, null_R: Array) -> float:
    """One-sided p: share of statistics at least as large, the observed one included."""
    as_large = (null_R >= observed - TOLERANCE).sum()
    return float((1 + as_large) / (1 + len(null_R)))


def two_sided(observed: float, null_R: Array) -> float:
    """Two-sided p: share of statistics at least as far from their mean, the observed one included.

    NaN if the observed statistic or one of the null is undefined, or all of the null are equal.
    """
    distance_R = np.abs(null_R - null_R.mean())
    if np.isnan(observed) or np.isnan(distance_R).any() or distance_R.max() < TOLERANCE:
        return float("nan")
    as_far = (distance_R >= abs(observed - null_R.mean()) - TOLERANCE).sum()
    return float((1 + as_far) / (1 + len(null_R)))
