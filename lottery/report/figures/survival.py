"""Figure of survivors: heat maps of heads and MLPs."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import bare, filled, styled

LABELS = {"mean": "share of seeds that keep it", "std": "std over the seeds"}
WEIGHT_LABELS = {"mean": "share of its weights kept", "std": "std of that share over the seeds"}
RAMP = {"mean": "Blues", "std": "Oranges"}


@styled
def survival_maps(components: pd.DataFrame, tasks: pd.DataFrame, weights: bool) -> Figure:
    """Heat maps of one method's survivors: mean and std over the seeds, heads [layer, head] and, next to them, MLPs.

    `components` has one row per task and component. Where `weights` are pruned, a component's value is the share of
    its weights that is kept, and the scale spans the shares that occur. Dark is high, also in greyscale.
    """
    means = components["mean"]
    limits = {"mean": (means.min(), means.max()) if weights else (0.0, 1.0)}
    if components["std"].notna().any():
        limits["std"] = (0.0, components["std"].max() or 1.0)
    layers, heads = int(components["layer"].max()) + 1, int(components["index"].max()) + 1
    cell, columns = (0.24 if heads > 8 else 0.3), (1 if len(tasks) <= 4 else 2)
    width, height = cell * (heads + 2) + 0.8, max(cell * layers, 1.0) + 0.85
    size = (width * columns * len(limits), height * -(-len(tasks) // columns) + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    halves = figure.subfigures(1, len(limits), squeeze=False)[0]
    for half, statistic in zip(halves, limits, strict=True):
        grid = filled(half, len(tasks), columns)
        for axes, task in zip(grid, rows(tasks), strict=True):
            of_task = components[components["task"] == task.task]
            image = _map(axes, of_task, statistic, limits[statistic])
            axes.set_title(f"{task.title}: {statistic}")
        bar = half.colorbar(image, ax=grid, location="bottom", aspect=40, fraction=0.04)
        bar.set_label((WEIGHT_LABELS if weights else LABELS)[statistic])
        bar.outline.set_visible(False)
    return figure


def _map(axes: Axes, components: pd.DataFrame, statistic: str, limits: tuple[float, float]) -> Any:
    """Heads, a gap, and the column of MLPs; returns the image."""
    heads, mlps = (components[components["unit"] == unit] for unit in ("heads", "mlps"))
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
    axes.tick_params(labelsize=7)
    axes.set_xlabel("head", fontsize=8)
    axes.set_ylabel("layer", fontsize=8)
    bare(axes)
    return image
