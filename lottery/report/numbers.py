"""Numbers as table entries: the text of `lottery.wording` and the value to sort by."""

from typing import Any

import pandas as pd

from lottery import wording
from lottery.report.blocks import Entry, Number
from lottery.wording import NONE


def number(value: float | None, digits: int = 3) -> Entry:
    """A fixed number of digits; a dash where there is no number."""
    return _entry(wording.number(value, digits), value)


def percent(value: float | None, digits: int = 1) -> Entry:
    """A share as percent."""
    return _entry(wording.percent(value, digits), value)


def probability(value: float | None) -> Entry:
    """A p value, to three digits, never 0."""
    return _entry(wording.probability(value), value)


def estimate(row: Any, digits: int = 3) -> Entry:
    """A mean and its 95 % interval, on one line."""
    return _entry(wording.between(row, digits), row.mean)


def effect(row: Any) -> Entry:
    """The effect of a claim and the interval that decides it, where there are any."""
    text = wording.number(row.effect, 2)
    if not pd.isna(row.low):
        text += f" [{wording.number(row.low, 2)}, {wording.number(row.high, 2)}]"
    return _entry(text, row.effect)


def spread(row: Any, digits: int = 3, scale: float = 1.0) -> Entry:
    """Mean ± standard deviation, and below it the 95 % interval."""
    text = wording.number(scale * row.mean, digits)
    if not pd.isna(row.std):
        low, high = (wording.number(scale * end, digits) for end in (row.low, row.high))
        text += f" ± {wording.number(scale * row.std, digits)}<br>[{low}, {high}]"
    return _entry(text, row.mean)


def _entry(text: str, value: float | None) -> Entry:
    return NONE if value is None or pd.isna(value) else Number(text, float(value))
