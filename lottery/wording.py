"""Numbers, counts and lists as English text."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 3) -> str:
    """A fixed number of digits, a true minus sign, a dash where there is no number."""
    if value is None or pd.isna(value):
        return NONE
    text = f"{float(value):,.{digits}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.lstrip("-")


def percent(value: float | None, digits: int = 1) -> str:
    """A share as percent."""
    return NONE if value is None or pd.isna(value) else f"{number(100 * value, digits)} %"


def setting(share: float) -> str:
    """A share that was chosen, as percent without digits it does not have."""
    return f"{100 * share:g} %"


def probability(value: float | None) -> str:
    """A p value, to three digits, never 0."""
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def between(row: Any, digits: int = 3) -> str:
    """A mean with its interval, for a sentence."""
    if pd.isna(row.low):
        return number(row.mean, digits)
    return f"{number(row.mean, digits)} [{number(row.low, digits)}, {number(row.high, digits)}]"


def listed(words: Iterable[str], last: str = "and") -> str:
    """a, b and c."""
    *rest, final = list(words) or ["none"]
    return f"{', '.join(rest)} {last} {final}" if rest else final


def counted(count: int, one: str, many: str = "") -> str:
    """1 task, 3 tasks."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def seeds(counts: Iterable[int]) -> str:
    """n as a caption says it: one number, or a range where cells differ."""
    found = sorted(set(counts))
    return f"n = {found[0]}" if len(found) == 1 else f"n = {found[0]} to {found[-1]}"


def flat(tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested parameters as dotted key and value."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            rows += [(f"{key}.{inner}", text) for inner, text in flat(value)]
        else:
            rows.append((key, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return str(value)
