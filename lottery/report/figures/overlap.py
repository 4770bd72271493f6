"""Figure of overlap: what each two tasks keep in common."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import INK, bare, panels, styled
from lottery.tickets.methods import METHODS
from lottery.vocabulary import UNITS

MANY = 1e5
"""From here on components are counted in millions."""


@styled
def overlap_matrices(pairs: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """A matrix per method and unit: shared components of each two tasks, and below what chance gives."""
    titles = dict(zip(tasks["task"], tasks["title"], strict=True))
    groups = dict(iter(pairs.groupby(["method", "unit"])))
    shown = [
        (method, unit)
        for method in METHODS.values()
        for unit in method.units
        if (method.name, unit) in groups
    ]
    size = max(2.6, (0.86 if len(titles) < 6 else 0.72) * len(titles) + 0.9)
    figure, grid = panels(len(shown), size, size, 2 if len(titles) > 4 else 3)
    for axes, (method, unit) in zip(grid, shown, strict=True):
        group = groups[method.name, unit]
        _matrix(axes, group, list(titles))
        axes.set_xticks(range(len(titles)), list(titles.values()), rotation=30, ha="right")
        axes.set_yticks(range(len(titles)), list(titles.values()))
        scale = ", millions" if group["total"].iloc[0] > MANY else ""
        axes.set_title(f"{method.title}: shared {UNITS[unit]}{scale}")
    return figure


def _matrix(axes: Axes, pairs: pd.DataFrame, tasks: Sequence[str]) -> None:
    total = pairs["total"].iloc[0]
    scale, digits = (1e6, 2) if total > MANY else (1.0, 0 if total > 1000 else 1)
    shares = np.full((len(tasks), len(tasks)), np.nan)
    for row in rows(pairs):
        a, b = sorted((tasks.index(row.task_a), tasks.index(row.task_b)))
        shares[b, a] = row.mean / total
        spread = "" if np.isnan(row.std) else f"\n± {row.std / scale:.{digits}f}"
        chance = "" if a == b else f"\n({row.expected / scale:.{digits}f})"
        axes.text(
            a, b, f"{row.mean / scale:.{digits}f}{spread}{chance}", ha="center", va="center",
            fontsize=7.5 if len(tasks) < 6 else 7, color="white" if row.mean / total > 0.62 else INK,
        )  # fmt: skip
    axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1)
    bare(axes)
