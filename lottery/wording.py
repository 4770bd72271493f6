"""Numbers, counts and lists in English sentences and tables."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 3) -> str:
    """A number with a fixed number of decimals and a proper minus sign; a dash for a missing one."""
    if value is None or math.isnan(value):
        return NONE
    text = f"{float(value):,.{digits}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.lstrip("-")


def percent(value: float | None, digits: int = 1) -> str:
    """A measured share, in percent."""
    return NONE if value is None or math.isnan(value) else f"{number(100 * value, digits)} %"


def setting(share: float) -> str:
    """A share given as a parameter, in percent without trailing zeros."""
    return f"{100 * share:g} %"


def probability(value: float | None) -> str:
    """A p value with three decimals, or `< 0.001`."""
    return "< 0.001" if value is not None and value < 0.001 else number(value)


SIGNS = {
    "reproduced": "\N{CHECK MARK}",
    "contradicted": "\N{MULTIPLICATION X}",
    "equivalent": "\N{ALMOST EQUAL TO}",
}
"""Marks of verdicts, for readers who do not see colours; any other word has an open circle."""


def signed(verdict: str) -> str:
    """The word of a verdict behind its sign."""
    sign = SIGNS.get(verdict, "\N{WHITE CIRCLE}")
    return f"{sign} {verdict}"


def between(row: Any, digits: int = 3) -> str:
    """The mean of a row with its interval, if it has one: `0.812 [0.790, 0.834]`."""
    if math.isnan(row.low):
        return number(row.mean, digits)
    return f"{number(row.mean, digits)} [{number(row.low, digits)}, {number(row.high, digits)}]"


def listed(words: Iterable[str], last: str = "and") -> str:
    """A list in a sentence: `a, b and c`; `none` if it is empty."""
    *rest, final = list(words) or ["none"]
    return f"{', '.join(rest)} {last} {final}" if rest else final


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 task`, `3 tasks`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def seeds(counts: Iterable[int]) -> str:
    """The number of seeds in a caption: `n = 1 seed`, `n = 3 seeds`, or `n = 2 to 3 seeds` where it differs."""
    numbers = sorted(set(counts))
    fewest, most = numbers[0], numbers[-1]
    return f"n = {counted(most, 'seed')}" if fewest == most else f"n = {fewest} to {most} seeds"


def flat(tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested parameters as pairs of dotted key and value."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            rows += [(f"{key}.{inner}", text) for inner, text in flat(value)]
        else:
            rows.append((key, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, Mapping)):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
