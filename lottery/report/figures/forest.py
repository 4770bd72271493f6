"""Figure of effects: every tested claim with its interval, and the authors' effect beside it."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lottery.analysis.frames import rows
from lottery.report.clauses import BY_DRAWS, UNITS
from lottery.report.figures import verdicts
from lottery.report.figures.style import BLUE, INK, styled

FAMILIES = ("primary", "secondary")


@styled
def forest(claims: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Effects of the primary and secondary claims over all tasks, a panel for each unit of effects.

    names: what a claim is called. Primary claims come first, in bold.
    """
    tested = claims[claims["family"].isin(FAMILIES)]
    groups = [group for _, group in tested.groupby("unit", sort=False)]
    heights = [len(group) + 1.4 for group in groups]
    figure = Figure(figsize=(9.6, 0.27 * sum(heights) + 0.55), layout="constrained")
    grid = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, group in zip(grid, groups, strict=True):
        _panel(axes, group, names)
    handles = [
        Line2D([], [], color=INK, marker="o", mfc="white", lw=1.6, label="here, with its interval"),
        Line2D(
            [], [], color=BLUE, marker="|", ms=11, mew=2, ls="none", label="in the authors' data"
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncol=2)
    return figure


def _panel(axes: Axes, group: pd.DataFrame, names: Mapping[str, str]) -> None:
    verdicts.zero(axes)
    for height, row in enumerate(rows(group)):
        verdicts.effect(axes, row, height)
        if row.unit != BY_DRAWS:
            verdicts.paper(axes, row.published_effect, height)
        axes.text(
            1.01, height, verdicts.label(row), transform=axes.get_yaxis_transform(), va="center", fontsize=8.5,
            color=verdicts.colour(row.verdict),
        )  # fmt: skip
    axes.set_ylim(len(group) - 0.4, -0.6)
    axes.set_yticks(range(len(group)), [names.get(claim, claim) for claim in group["claim"]])
    for label, family in zip(axes.get_yticklabels(), group["family"], strict=True):
        label.set_fontweight("bold" if family == "primary" else "normal")
    unit = group["unit"].iloc[0]
    axes.set_title(UNITS[unit], fontsize=8.5, color="#555555", weight="normal")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.locator_params(axis="x", nbins=6)
    axes.grid(axis="y", visible=False)
