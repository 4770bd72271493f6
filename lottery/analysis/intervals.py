"""How sure a mean over few replications is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Mean of `n` values, their standard deviation (ddof 1) and a confidence interval of the mean.

    What the values do not determine is NaN: the mean of none, the std and the bounds of a single one.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int


def interval(values: Values, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent replications, e.g. seeds. A NaN among them makes NaN."""
    array = np.asarray(values, dtype=np.float64)
    n, nan = len(array), float("nan")
    if n < 2:
        return Interval(float(array[0]) if n else nan, nan, nan, nan, n)
    mean, std = float(array.mean()), float(array.std(ddof=1))
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * std / n**0.5
    return Interval(mean, std, mean - reach, mean + reach, n)
