"""The report's figures: a tidy frame in, a matplotlib figure out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from lottery.analysis.frames import rows
from lottery.report.figures.style import COLOUR, GREY, INK, LINE, MARKER, filled, panels, styled
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import CONTROLLED, METRICS, UNITS


@styled
def curves(frame: pd.DataFrame, overview: pd.DataFrame) -> Figure:
    """Score on the selection data against sparsity, a panel per task.

    Thin lines are seeds; the thick line is their mean over the steps that all of them took; filled markers
    are the chosen subnetworks; dashes mark the score to keep, dots the majority class.
    """
    figure, grid = panels(len(overview), 3.4, 2.75)
    for axes, known in zip(grid, rows(overview), strict=True):
        own = frame[frame["task"] == known.task]
        for method in METHODS:
            _curve(axes, own[own["method"] == method], method)
        per_seed = own.drop_duplicates("seed")
        axes.axhline(per_seed["threshold"].mean(), color=INK, lw=0.9, ls=(0, (6, 3)))
        axes.axhline(known.majority, color=INK, lw=1.0, ls=(0, (1, 2)))
        axes.set_title(known.title)
        axes.set_ylabel(METRICS[known.search_metric].replace("mean of ", "").replace(" and ", "/"))
        axes.set_xlabel("encoder weights removed")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.set_xlim(-0.02, max(0.5, min(1.0, own["sparsity"].max())) + 0.02)
    _curve_legend(figure, grid[0])
    return figure


def _curve(axes: Axes, own: pd.DataFrame, method: str) -> None:
    main = own[own["phase"].isin(["full", "both", "weights"])]
    for _, seed in main.groupby("seed"):
        axes.plot(seed["sparsity"], seed["score"], color=COLOUR[method], lw=0.7, alpha=0.45)
    steps = main.groupby("step")[["sparsity", "score"]].mean()
    common = steps[main.groupby("step")["seed"].nunique() == main["seed"].nunique()]
    axes.plot(
        common["sparsity"], common["score"], color=COLOUR[method], lw=2, ls=LINE[method], label=method_title(method)
    )  # fmt: skip
    chosen = own[own["chosen"]]
    axes.plot(
        chosen["sparsity"], chosen["score"], MARKER[method], color=COLOUR[method], ms=7,
        markeredgecolor="white", markeredgewidth=0.9, zorder=5, ls="none", label=f"chosen, {method_title(method)}",
    )  # fmt: skip


def _curve_legend(figure: Figure, axes: Axes) -> None:
    axes.plot([], [], color=INK, lw=0.9, ls=(0, (6, 3)), label="score to keep")
    axes.plot([], [], color=INK, lw=1.0, ls=(0, (1, 2)), label="majority class")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncol=2 * min(len(figure.axes), 3),
        handlelength=2.4,
        columnspacing=1.4,
    )


@styled
def contrasts(results: pd.DataFrame, averages: pd.DataFrame, overview: pd.DataFrame) -> Figure:
    """Good, random and bad subnetworks of both prunings, pruned and retrained, with 95 % intervals.

    A panel per task and one for the mean over tasks; the full model is a line, the majority class dots.
    """
    mean = averages[averages["scope"] == "sound"]
    groups = [
        (
            known.title + (" (degenerate)" if known.degenerate else ""),
            METRICS[known.metric],
            results[(results["task"] == known.task) & results["reported"]],
        )
        for known in rows(overview)
    ]
    if len(overview) > 1 and len(mean):
        groups.append((f"Mean of {mean['tasks'].iloc[0]} tasks", "mean of the metrics", mean))
    figure, grid = panels(len(groups), 3.9, 2.75)
    for axes, (title, metric, own) in zip(grid, groups, strict=True):
        _contrast(axes, own)
        axes.set_title(title)
        axes.set_ylabel(metric)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=4 if len(groups) > 1 else 2)
    return figure


def _contrast(axes: Axes, own: pd.DataFrame) -> None:
    places = {
        (method, kind): at + 3.6 * group
        for group, method in enumerate(METHODS)
        for at, kind in enumerate(CONTROLLED)
    }
    for shift, state in ((-0.16, "pruned"), (0.16, "retrained")):
        points = [
            (places[row.method, row.kind] + shift, row.mean, row.low, row.high)
            for row in rows(own[own["state"] == state])
            if (row.method, row.kind) in places
        ]
        x, mean, low, high = np.array(points, float).reshape(-1, 4).T
        axes.errorbar(
            x, mean, np.nan_to_num([mean - low, high - mean]), fmt=MARKER[state], color=COLOUR[state],
            mfc="white" if state == "pruned" else COLOUR[state], ms=6, mew=1.5, lw=1.3, capsize=3,
            label=f"{state}, mean and 95 % interval",
        )  # fmt: skip
    for kind, dashes, label in (
        ("full", "-", "full model"),
        ("majority", (0, (1, 2)), "majority class"),
    ):
        level = own.loc[own["kind"] == kind, "mean"]
        if len(level):
            axes.axhline(
                level.iloc[0], color=GREY if kind == "full" else INK, lw=1.1, ls=dashes, label=label
            )
    axes.set_xticks(list(places.values()), [kind for _, kind in places])
    axes.grid(axis="x", visible=False)
    axes.axvline(2.8, color="#CCCCCC", lw=0.8)
    for group, method in enumerate(METHODS):
        axes.annotate(
            method_title(method), (1 + 3.6 * group, -0.17), xycoords=("data", "axes fraction"),
            ha="center", va="top", color="#444444", style="italic", annotation_clip=False,
        )  # fmt: skip


@styled
def survival(frame: pd.DataFrame, overview: pd.DataFrame, method: str) -> Figure:
    """Heat maps of what survives: mean and std over the seeds, heads [layer, head] and, to their right, MLPs.

    `frame` holds one row per component. Dark is high, also in greyscale.
    """
    own = frame[frame["method"] == method]
    weights = method == "magnitude"
    limits = {"mean": (own["mean"].min(), own["mean"].max()) if weights else (0.0, 1.0)}
    if own["std"].notna().any():
        limits["std"] = (0.0, own["std"].max() or 1.0)
    layers, heads = int(own["layer"].max()) + 1, int(own["index"].max()) + 1
    cell, columns = (0.24 if heads > 8 else 0.3), (1 if len(overview) <= 4 else 2)
    width, height = cell * (heads + 2) + 0.8, max(cell * layers, 1.0) + 0.85
    size = (width * columns * len(limits), height * -(-len(overview) // columns) + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    halves = figure.subfigures(1, len(limits), squeeze=False)[0]
    for half, statistic in zip(halves, limits, strict=True):
        grid = filled(half, len(overview), columns)
        for axes, known in zip(grid, rows(overview), strict=True):
            task = own[own["task"] == known.task]
            image = _map(axes, task, statistic, limits[statistic])
            axes.set_title(f"{known.title}: {statistic}")
        bar = half.colorbar(image, ax=grid, location="bottom", aspect=40, fraction=0.04)
        bar.set_label(SHARE[method][statistic])
        bar.outline.set_visible(False)
    return figure


SHARE = {
    "structured": {"mean": "share of seeds that keep it", "std": "std over the seeds"},
    "magnitude": {"mean": "share of its weights kept", "std": "std of that share over the seeds"},
}
RAMP = {"mean": "Blues", "std": "Oranges"}


def _map(axes: Axes, task: pd.DataFrame, statistic: str, limits: tuple[float, float]) -> Any:
    """Heads, a gap, and the column of MLPs; returns the image."""
    heads, mlps = (task[task["unit"] == unit] for unit in ("heads", "mlps"))
    grid = heads.pivot(index="layer", columns="index", values=statistic).to_numpy(float)
    column = mlps.sort_values("layer")[statistic].to_numpy(float)[:, None]
    both = np.hstack([grid, np.full_like(column, np.nan), column])
    image = axes.pcolormesh(
        np.ma.masked_invalid(both), cmap=RAMP[statistic], vmin=limits[0], vmax=limits[1],
        edgecolors="white", linewidth=1.0,
    )  # fmt: skip
    count, layers = grid.shape[1], len(grid)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    every = 1 if count <= 12 else 4
    names = [str(head + 1) for head in range(0, count, every)]
    axes.set_xticks([*np.arange(0.5, count, every), count + 1.5], [*names, "MLP"])
    axes.set_yticks(np.arange(0.5, layers), [str(layer + 1) for layer in range(layers)])
    axes.tick_params(length=0, labelsize=7)
    axes.set_xlabel("head", fontsize=8)
    axes.set_ylabel("layer", fontsize=8)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


@styled
def overlap(frame: pd.DataFrame, overview: pd.DataFrame) -> Figure:
    """What each two tasks keep in common, a matrix per unit: shared components, and below what chance gives."""
    names = dict(zip(overview["task"], overview["title"], strict=True))
    units = [unit for unit in UNITS if unit in set(frame["unit"])]
    size = max(2.6, (0.86 if len(names) < 6 else 0.72) * len(names) + 0.9)
    figure, grid = panels(len(units), size, size, 2 if len(names) > 4 else 3)
    for axes, unit in zip(grid, units, strict=True):
        own = frame[frame["unit"] == unit]
        _matrix(axes, own, list(names))
        axes.set_xticks(range(len(names)), list(names.values()), rotation=30, ha="right")
        axes.set_yticks(range(len(names)), list(names.values()))
        scale = ", millions" if own["total"].iloc[0] > MANY else ""
        axes.set_title(f"{method_title(own['method'].iloc[0])}: shared {UNITS[unit]}{scale}")
    return figure


MANY = 1e5  # from here on components are counted in millions


def _matrix(axes: Axes, own: pd.DataFrame, tasks: Sequence[str]) -> None:
    total = own["total"].iloc[0]
    scale, digits = (1e6, 2) if total > MANY else (1.0, 0 if total > 1000 else 1)
    shares = np.full((len(tasks), len(tasks)), np.nan)
    for row in rows(own):
        a, b = sorted((tasks.index(row.task_a), tasks.index(row.task_b)))
        shares[b, a] = row.mean / total
        spread = "" if np.isnan(row.std) else f"\n± {row.std / scale:.{digits}f}"
        chance = "" if a == b else f"\n({row.expected / scale:.{digits}f})"
        axes.text(
            a, b, f"{row.mean / scale:.{digits}f}{spread}{chance}", ha="center", va="center",
            fontsize=7.5 if len(tasks) < 6 else 7, color="white" if row.mean / total > 0.62 else INK,
        )  # fmt: skip
    axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
