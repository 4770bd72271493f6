"""Figure of the primary clauses: a panel for each clause and place, a dot for every seed."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.clauses import BY_DRAWS, EFFECTS
from lottery.report.figures import verdicts
from lottery.report.figures.style import GREY, bare, styled

NAN = float("nan")


@styled
def scoreboard(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> Figure:
    """The effect of each primary claim in the authors' data, on each task and over all tasks.

    names: what a claim is called. Panels of a row share their axis; positive effects support the claim.
    """
    claims = list(rows(tables["verdicts"][tables["verdicts"]["family"] == "primary"]))
    tasks = dict(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))
    places = ["authors", *tasks.values(), "all tasks"]
    widths = [1.5, *[1.0] * len(places)]
    figure = Figure(figsize=(1.55 * sum(widths), 0.98 * len(claims) + 0.5), layout="constrained")
    grid = figure.subplots(len(claims), len(widths), squeeze=False, width_ratios=widths)
    for claim, (name, *panels) in zip(claims, grid, strict=True):
        _name(name, names.get(claim.claim, claim.claim), EFFECTS[claim.clause])
        shown = list(_shown(claim, tables, list(tasks)))
        for axes, (verdict, dots) in zip(panels, shown, strict=True):
            _panel(axes, verdict, dots)
        ours = 1 if claim.unit == BY_DRAWS else 0
        _share_axis(panels[:ours], shown[:ours])
        _share_axis(panels[ours:], shown[ours:])
        if ours:
            panels[0].set_xlabel("difference of r", fontsize=7.5, labelpad=1)
    for axes, place in zip(grid[0, 1:], places, strict=True):
        axes.annotate(
            place, (0.5, 1.0), (0, 24), xycoords="axes fraction", textcoords="offset points", ha="center",
            weight="bold", fontsize=10, annotation_clip=False,
        )  # fmt: skip
    return figure


def _shown(
    claim: Any, tables: Mapping[str, pd.DataFrame], tasks: Sequence[str]
) -> Iterator[tuple[Any, Sequence[float]]]:
    """Verdict, effect and interval in each place, and the effects of its seeds."""
    by_task, by_cell = (
        tables[name][tables[name]["claim"] == claim.claim]
        for name in ("verdict-tasks", "verdict-cells")
    )
    yield (
        _estimate(claim.published_verdict, claim.published_effect),
        by_task["published_effect"].dropna().tolist(),
    )
    for task in tasks:
        verdict = next(rows(by_task[by_task["task"] == task]), _estimate("untested"))
        yield verdict, by_cell.loc[by_cell["task"] == task, "effect"].dropna().tolist()
    yield claim, by_cell["effect"].dropna().tolist()


def _estimate(word: str, effect: float = NAN) -> SimpleNamespace:
    return SimpleNamespace(verdict=word, effect=effect, low=NAN, high=NAN, detectable=NAN)


def _name(axes: Axes, name: str, effect: str) -> None:
    bare(axes)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0, 0.62, name, transform=axes.transAxes, va="center", fontsize=9.5, weight="bold", wrap=True
    )
    axes.text(0, 0.1, effect, transform=axes.transAxes, va="center", fontsize=8, color="#555555")


def _panel(axes: Axes, verdict: Any, dots: Sequence[float]) -> None:
    verdicts.zero(axes)
    for at, dot in enumerate(dots):
        axes.plot(dot, 0.42 - 0.14 * (at % 3), ".", color=GREY, ms=6, mec="none", alpha=0.85)
    verdicts.effect(axes, verdict, 0.75)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([])
    axes.tick_params(labelsize=7.5, length=2)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=3)
    axes.set_title(
        verdicts.label(verdict),
        loc="center",
        fontsize=8.5,
        color=verdicts.colour(verdict.verdict),
        pad=3,
    )


def _share_axis(panels: Sequence[Axes], shown: Sequence[tuple[Any, Sequence[float]]]) -> None:
    values = [
        value
        for verdict, dots in shown
        for value in [verdict.effect, verdict.low, verdict.high, *dots, 0.0]
        if not pd.isna(value)
    ]
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = 0.08 * (high - low) or 0.1
    for axes in panels:
        axes.set_xlim(low - room, high + room)
