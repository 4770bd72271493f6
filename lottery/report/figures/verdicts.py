"""Common to the figures of verdicts: the colour and marker of each word, and an effect with its interval."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from lottery.report.figures.style import BLUE, DOTS, INK
from lottery.wording import number, signed

COLOURS: Mapping[str, str] = {
    "reproduced": "#00603F",
    "contradicted": "#B04300",
    "equivalent": "#5B3A86",
}
MARKERS: Mapping[str, str] = {"reproduced": "o", "contradicted": "X", "equivalent": "D"}
OTHER = "#666666"


def colour(word: str) -> str:
    """The colour of a verdict."""
    return COLOURS.get(word, OTHER)


def label(row: Any) -> str:
    """The word of a verdict with its sign; beside an undecided one, the smallest effect that would have been found."""
    if row.verdict == "undecided" and not pd.isna(row.detectable):
        return f"{signed(row.verdict)} ({number(row.detectable, 2)})"
    return signed(row.verdict)


def effect(axes: Axes, row: Any, height: float) -> None:
    """An effect as a marker with its interval; open if the verdict is none."""
    shade = colour(row.verdict)
    if pd.isna(row.effect):
        return
    if not pd.isna(row.low):
        axes.plot([row.low, row.high], [height, height], color=shade, lw=1.6, solid_capstyle="butt")
    axes.plot(
        row.effect, height, MARKERS.get(row.verdict, "o"), ms=6.5, color=shade, mew=1.4,
        mfc=shade if row.verdict in COLOURS else "white", zorder=4,
    )  # fmt: skip


def zero(axes: Axes) -> None:
    """The line that an effect has to leave."""
    axes.axvline(0, color=INK, lw=0.9, ls=DOTS, zorder=1)


def paper(axes: Axes, value: float, height: float, size: float = 0.32) -> None:
    """The authors' own effect as an upright tick."""
    if not pd.isna(value):
        axes.plot([value, value], [height - size, height + size], color=BLUE, lw=2, zorder=3)
