"""Is a mean above zero, and does that stand when many means are tested?"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test
from statsmodels.stats.multitest import multipletests

Side = Literal["greater", "less"]
ALPHA = 0.05
EXACT = 16
"""Up to this many differences every pattern of signs is tried, beyond it 2**16 random ones."""


def sign_flip(differences: NDArray[np.float64], side: Side, chance: np.random.Generator) -> float:
    """One-sided p of the mean of paired differences [n], by flipping their signs.

    Under the hypothesis each difference is as likely to be its negative; nothing else is assumed of its
    distribution. NaN for n < 2.
    """
    if len(differences) < 2:
        return float("nan")
    found = permutation_test(
        (differences,),
        lambda flipped, axis: flipped.mean(axis=axis),
        permutation_type="samples",
        alternative=side,
        n_resamples=2**EXACT,
        batch=2**12,
        vectorized=True,
        rng=chance,
    )
    return float(found.pvalue)


def smallest(n: int) -> float:
    """The smallest p that `sign_flip` can give for n differences; NaN for n < 2."""
    return float("nan") if n < 2 else 2.0 ** -min(n, EXACT)


def holm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's corrected p values [m]; NaN is a test that was not made and does not count."""
    corrected = np.full(len(values), np.nan)
    made = ~np.isnan(values)
    if made.any():
        corrected[made] = multipletests(values[made], method="holm")[1]
    return corrected
