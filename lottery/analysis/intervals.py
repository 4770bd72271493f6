"""Confidence interval of a mean over few replications."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Mean of `n` values, their standard deviation (ddof 1), and the bounds of a confidence interval of the mean.

    NaN stands for what is undefined: the mean of no values, the std and the bounds of a single one.
    """

    mean: float
    std: float
    low: float
    high: float
    n: int


def interval(values: Values, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent replications, e.g. seeds; NaN if any of them is NaN."""
    array = np.asarray(values, dtype=np.float64)
    n, nan = len(array), float("nan")
    if n < 2:
        return Interval(float(array[0]) if n else nan, nan, nan, nan, n)
    mean, std = float(array.mean()), float(array.std(ddof=1))
    half_width = float(stdtrit(n - 1, (1 + level) / 2)) * std / n**0.5
    return Interval(mean, std, mean - half_width, mean + half_width, n)
