"""The section on the searches: their trajectories, what they keep, and what they fit to their data."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.report.reasons import reasons
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import PruneParameters
from lottery.vocabulary import UNITS
from lottery.wording import NONE, listed, number, percent, seeds

MANY = 1e5
"""From here on components are counted in millions."""


def searches(material: Material) -> Iterator[Block]:
    """The curves, the sizes of the good subnetworks, and the gap between select and dev."""
    yield Paragraph(_summary(material))
    yield Folded(
        "Trajectories and sizes", [_curves(material), _sizes(material), _searches(material)]
    )
    yield Folded(
        "What the searches fit to their data",
        [_selection(material.tables["selection"], material.titles)],
    )


def _summary(material: Material) -> str:
    """The sparsities at which each method ends."""
    searches = material.tables["searches"]
    removed = searches[searches["usable"]].groupby("method")["sparsity"]
    means, low, high = removed.mean(), removed.min(), removed.max()
    ends = listed(
        f"{method.title} removes {percent(means[method.name], 0)} of the weights ({percent(low[method.name], 0)} to"
        f" {percent(high[method.name], 0)})"
        for method in METHODS.values()
        if method.name in means
    )
    return f"Averaged over usable searches, {ends}." if len(means) else "No search is usable."


def _curves(material: Material) -> Figure:
    beyond = (
        " The first phase is continued after the score has fallen below the score to keep, for this figure and for"
        " matched sizes; this does not affect the chosen subnetworks."
    )
    data = material.parameters[PruneParameters].data
    return Figure(
        material.figure("curves"),
        f"Line plots, a panel for each of {listed(material.titles.values())}: score on the data that drive the searches"
        f" against the share of encoder weights removed, for {listed(method.title for method in METHODS.values())}.",
        f"Trajectories of the searches: score on {data} against sparsity, the share of prunable"
        " weights removed. Lines are the first phase of each search, thin ones seeds, thick ones the mean over the"
        " steps that all seeds took; later phases are not drawn, so that a chosen subnetwork (filled marker) may"
        " lie off"
        " the lines. Dashes: the score to keep, mean over seeds; dots: the majority class on the same data."
        f"{beyond if material.parameters[PruneParameters].curve else ''} Source: `tables/curves.csv`.",
    )


def _sizes(material: Material) -> Table:
    survivors = material.tables["survivors"]
    columns = [
        _size(
            method.title,
            unit,
            survivors[(survivors["method"] == method.name) & (survivors["unit"] == unit)],
        )
        for method in METHODS.values()
        for unit in [*method.units, "sparsity"]
    ]
    return Table(
        "What survives in the good subnetworks: mean ± standard deviation over seeds and [95 % interval];"
        f" {seeds(survivors['n'])}. Weights removed are counted among all weights of heads and MLPs, for all"
        " methods alike. Source: `tables/survivors.csv`.",
        ["task", *(heading for heading, _ in columns)],
        [
            [title, *(entries[task] for _, entries in columns)]
            for task, title in material.titles.items()
        ],
    )


def _searches(material: Material) -> Table:
    return Table(
        "Every search: score of the full model, score to keep, score kept, weights removed. Full differs"
        " in the last digits: s-pruning takes it from the pass that also gives importance, which rounds otherwise."
        " Censored: it ended while it still accepted its last step. Source: `tables/searches.csv`.",
        [
            "task",
            "seed",
            "pruning",
            "full",
            "to keep",
            "kept",
            "removed",
            "censored",
            "counts for nothing because",
        ],
        [
            [
                material.titles[row.task],
                str(row.seed),
                METHODS[row.method].title,
                numbers.number(row.full_score),
                numbers.number(row.threshold),
                numbers.number(row.score),
                numbers.percent(row.sparsity, 0),
                "yes" if row.censored else "no",
                "; ".join(reasons(row.reason)) or NONE,
            ]
            for row in rows(material.tables["searches"])
        ],
    )


def _size(title: str, unit: str, survivors: pd.DataFrame) -> tuple[str, dict[str, Entry]]:
    """The column of one unit: its heading, and its entries by task."""
    total = float(survivors["total"].iloc[0])
    if unit == "sparsity":
        heading, digits, scale = f"{title}: weights removed, %", 1, 100.0
    elif total > MANY:
        millions = f"{number(total / 1e6, 2)} million"
        heading, digits, scale = f"{title}: {UNITS[unit]}, of {millions}", 2, 1e-6
    else:
        heading, digits, scale = f"{title}: {UNITS[unit]}, of {number(total, 0)}", 1, 1.0
    entries = [numbers.spread(row, digits, scale) for row in rows(survivors)]
    return heading, dict(zip(survivors["task"], entries, strict=True))


def _selection(selection: pd.DataFrame, titles: dict[str, str]) -> Block:
    if selection.empty:
        return Paragraph(
            "Nothing was scored on select, so the gap between select and dev is not known."
        )
    keyed = selection.set_index(["task", "method", "quantity"])
    return Table(
        "What good subnetworks keep, pruned: r in % on select and on dev; the gap, in percentage points, is due to"
        " overfitting of the search to its data, and to chance. Mean ± standard deviation"
        f" and [95 % interval]; {seeds(selection['n'])}. Source: `tables/selection.csv`.",
        ["task", "pruning", "select", "dev", "gap"],
        [
            [
                titles[task],
                method.title,
                *(
                    numbers.spread(next(rows(keyed.loc[[(task, method.name, quantity)]])), 1, 100)
                    for quantity in ("select", "dev", "gap")
                ),
            ]
            for task in titles
            for method in METHODS.values()
            if (task, method.name, "gap") in keyed.index
        ],
    )
