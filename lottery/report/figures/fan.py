"""Figure of the lottery: a fan of good, random and bad subnetworks, pruned, that closes when retrained."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from lottery.analysis.columns import CELL
from lottery.analysis.frames import rows
from lottery.report.figures.style import BLUE, DASHES, DOTS, INK, ORANGE, styled
from lottery.seeds import rng
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED


@dataclass(frozen=True)
class Mark:
    """The look of one kind of subnetwork: colour, marker, edge, opacity, and sizes pruned and retrained.

    Masks of a kind are many as pruned and few as retrained. Spread: how far points of one cell are moved apart.
    """

    colour: str
    marker: str
    edge: str
    opacity: float
    sizes: Mapping[str, float]
    spread: float


MARKS: Mapping[str, Mark] = {
    "bad": Mark(ORANGE, "v", "none", 0.6, {"pruned": 3.6, "retrained": 5.5}, 0.003),
    "random": Mark("#6F6F6F", "o", "none", 0.6, {"pruned": 2.4, "retrained": 4.5}, 0.003),
    "good": Mark(BLUE, "o", "white", 0.95, {"pruned": 6.0, "retrained": 6.0}, 0.0),
}
"""The kinds that are drawn, from the lowest layer to the highest."""
BASELINES: Mapping[tuple[str, str], tuple[str, object]] = {
    ("words", "finetuned"): ("bag of words", DASHES),
    ("good", "reinitialised"): ("good mask on random weights", DOTS),
}
"""Reference lines of the retrained panels, by kind and state: words and dashes."""
FLOOR = -0.35
"""Lowest chance-corrected score that is shown; correlations far below 0 are drawn here."""


@styled
def fan(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Chance-corrected score against the share of weights removed: a row per method, pruned and retrained.

    Every point is a mask with a seed; lines join the means of each cell to the full model. At the right, the authors'
    means.
    """
    points = {"pruned": _pruned(tables), "retrained": _retrained(tables)}
    figure = Figure(figsize=(9.6, 2.55 * len(METHODS) + 0.75), layout="constrained")
    grid = figure.subplots(len(METHODS), len(MEASURED), sharex=True, sharey=True, squeeze=False)
    removed = pd.concat(points.values())["sparsity"]
    edge = max(0.6, float(removed.max()) + 0.04 if len(removed) else 0.0)
    for (method, state), axes in zip(product(METHODS, MEASURED), grid.ravel(), strict=True):
        of_method = points[state][points[state]["method"] == method]
        _rays(axes, of_method, state)
        _published(axes, tables["published"], method, state, edge)
        if state == "retrained":
            _baselines(axes, tables["averages"], method, edge)
        axes.set_xlim(-0.015, edge + 0.1)
        axes.set_title(f"{METHODS[method].title}, {state}")
        axes.label_outer()
    for axes in grid[:, 0]:
        axes.set_ylabel("score r (full model 1, guessing 0)")
    for axes in grid[-1]:
        axes.set_xlabel("encoder weights removed")
        axes.set_xticks(np.arange(0, edge, 0.2 if edge > 0.7 else 0.1))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    figure.legend(
        handles=[*_handles(tables["averages"])],
        loc="outside lower center",
        ncol=4,
        columnspacing=1.6,
    )
    return figure


def _pruned(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every usable mask scored as pruned, of the kinds that the fan shows."""
    draws = tables["draws"]
    return draws[draws["usable"] & draws["kind"].isin(MARKS) & draws["share"].notna()]


def _retrained(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Retrained good, random and bad subnetworks with the sparsity of their cell."""
    cells, searches = tables["cells"], tables["searches"]
    shown = cells[
        cells["reported"] & cells["usable"] & cells["kind"].isin(MARKS)
        & (cells["state"] == "retrained") & cells["matched"].isna() & cells["share"].notna()
    ]  # fmt: skip
    key = ["task", "seed", "method"]
    return shown.join(searches.set_index(key)["sparsity"], on=key)


def _rays(axes: Axes, points: pd.DataFrame, state: str) -> None:
    """The masks as points, and for every cell and kind a line from the full model through the mean of its masks."""
    axes.axhline(0, color=INK, lw=0.8, ls=DOTS)
    generator = rng("fan")
    for kind, mark in MARKS.items():
        of_kind = points[points["kind"] == kind]
        for _, cell in of_kind.groupby(CELL):
            ray = cell.groupby("sparsity")["share"].mean().clip(FLOOR)
            axes.plot([0, *ray.index], [1, *ray], color=mark.colour, lw=0.7, alpha=0.4, zorder=1)
        shift = generator.normal(0, mark.spread, len(of_kind))
        axes.plot(
            of_kind["sparsity"] + shift, of_kind["share"].clip(FLOOR), mark.marker, ls="none", zorder=3,
            color=mark.colour, ms=mark.sizes[state], mec=mark.edge, mew=0.6, alpha=mark.opacity,
        )  # fmt: skip
    axes.plot(0, 1, "s", color=INK, ms=5, zorder=5, clip_on=False)
    if points.empty:
        axes.text(0.5, 0.5, "no usable cell", transform=axes.transAxes, ha="center", color=INK)


def _published(axes: Axes, published: pd.DataFrame, method: str, state: str, edge: float) -> None:
    """The authors' means as ticks in a gutter at the right."""
    axes.axvspan(edge, edge + 0.1, color="#F2F2F2", zorder=0, lw=0)
    axes.text(
        edge + 0.05, 0.95, "paper", transform=axes.get_xaxis_transform(), ha="center", va="center", fontsize=8,
        color="#444444",
    )  # fmt: skip
    for row in rows(published[(published["method"] == method) & (published["state"] == state)]):
        if row.kind in MARKS:
            left = edge + 0.01 + 0.027 * GOOD_AND_CONTROLS.index(row.kind)
            axes.plot(
                [left, left + 0.026], 2 * [max(row.share, FLOOR)], color=MARKS[row.kind].colour, lw=2.6,
                solid_capstyle="butt",
            )  # fmt: skip


def _baselines(axes: Axes, averages: pd.DataFrame, method: str, edge: float) -> None:
    for (kind, state), (_, dashes) in BASELINES.items():
        of_kind = averages[(averages["kind"] == kind) & (averages["state"] == state)]
        if kind in MARKS:
            of_kind = of_kind[of_kind["method"] == method]
        if len(of_kind):
            level = float(of_kind["mean"].iloc[0])
            axes.plot([0.02, edge], [level, level], color=INK, lw=1.1, ls=dashes, zorder=1.5)


def _handles(averages: pd.DataFrame) -> Iterator[Line2D]:
    """An entry of the legend for everything that is drawn."""
    yield Line2D([], [], color=INK, marker="s", ls="none", ms=5, label="full model")
    for kind in GOOD_AND_CONTROLS:
        mark = MARKS[kind]
        yield Line2D(
            [], [], color=mark.colour, marker=mark.marker, ms=mark.sizes["retrained"], lw=0.7, label=kind
        )  # fmt: skip
    measured = {*zip(averages["kind"], averages["state"], strict=True)}
    for baseline, (label, dashes) in BASELINES.items():
        if baseline in measured:
            yield Line2D([], [], color=INK, lw=1.1, ls=dashes, label=label)
    yield Line2D([], [], color=INK, lw=2.6, label="the paper's means")
