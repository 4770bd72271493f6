"""Sign-flip test of a mean against 0, and Holm's correction for many tests."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test
from statsmodels.stats.multitest import multipletests

Side = Literal["greater", "less"]
ALPHA = 0.05
EXACT = 16
"""Up to this many differences, all patterns of signs are enumerated; beyond, 2**16 random ones are drawn."""


def sign_flip(differences: NDArray[np.float64], side: Side, rng: np.random.Generator) -> float:
    """One-sided p value of the mean of paired differences [n], by flipping their signs; NaN for n < 2.

    The null hypothesis is that each difference is as likely as its negative; no other assumption is made about its
    distribution.
    """
    if len(differences) < 2:
        return float("nan")
    test = permutation_test(
        (differences,),
        lambda flipped, axis: flipped.mean(axis=axis),
        permutation_type="samples",
        alternative=side,
        n_resamples=2**EXACT,
        batch=2**12,
        vectorized=True,
        rng=rng,
    )
    return float(test.pvalue)


def smallest_p(n: int) -> float:
    """The smallest p value that `sign_flip` can give for n differences; NaN for n < 2."""
    return float("nan") if n < 2 else 2.0 ** -min(n, EXACT)


def holm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's corrected p values [m]. NaN marks a test that was not made: it stays NaN and does not count."""
    corrected = np.full(len(values), np.nan)
    tested = ~np.isnan(values)
    if tested.any():
        corrected[tested] = multipletests(values[tested], method="holm")[1]
    return corrected
