"""The sections on what survives: where it is, and whether seeds and tasks agree on it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report.markdown import figure, table
from lottery.vocabulary import UNITS
from lottery.wording import listed, number, percent, probability, seeds

Tables = Mapping[str, pd.DataFrame]
Paths = Mapping[str, str]
Known = Mapping[Any, Any]


def survival(tables: Tables, figures: Paths) -> Iterator[str]:
    """The heat maps."""
    titles = tables["tasks"]["title"]
    for at, (method, what, scale) in enumerate(MAPS, start=3):
        yield figure(
            figures[f"survival-{method}"],
            f"Heat maps of layers by heads, with the MLPs as a last column, for {listed(titles)}: {what}, mean"
            " and standard deviation over seeds.",
            f"Figure {at}. {scale} Left: mean over seeds; right: standard deviation. Dark is much. Source:"
            " `tables/survival.csv`.",
        )


MAPS = (
    (
        "structured",
        "the share of seeds that keep a component under s-pruning",
        "Where s-pruning's survivors are: how many of the seeds keep each head and MLP.",
    ),
    (
        "magnitude",
        "the share of each component's weights that m-pruning keeps",
        "Where m-pruning's survivors are: the share of its weights that each head (query, key, value and its part"
        " of the output) and MLP keeps. The scale spans the smallest to the largest share.",
    ),
)


def agreement(tables: Tables, seeds_run: Sequence[int]) -> Iterator[str]:
    """Do seeds of a task find the same subnetwork?"""
    if len(seeds_run) < 2:
        yield "One seed was run: whether seeds agree is not known."
    else:
        known = tables["stability"].set_index(["task", "unit", "statistic"])["value"].to_dict()
        yield _alike(tables, known, len(seeds_run))
        yield _stability(tables, known, len(seeds_run))
    yield _importance(tables)


def _alike(tables: Tables, known: Known, count: int) -> str:
    pairs = tables["agreement"].groupby(["task", "unit"])[["jaccard", "chance"]].mean()
    alike = {
        key: f"{number(row.jaccard)} ({number(row.chance)})"
        for key, row in zip(pairs.index, rows(pairs), strict=True)
    }
    body = [
        [
            title,
            *(alike[task, unit] for unit in UNITS),
            *(
                " / ".join(number(known[task, unit, name], 0) for name in ENDS)
                for unit in COMPONENTS
            ),
        ]
        for task, title in _names(tables)
    ]
    header = ["task", *(f"{name}: Jaccard (chance)" for name in UNITS.values())]
    header += ["heads kept by all / by no seed", "MLPs kept by all / by no seed"]
    caption = (
        "Table 4. Do seeds agree? Jaccard index of two good subnetworks of one task, mean over all"
        f" {count * (count - 1) // 2} pairs of seeds (n = {count}), and in brackets its value for random subnetworks"
        " of the same sizes. Source: `tables/agreement.csv`, `tables/stability.csv`."
    )
    return table(caption, header, body)


def _stability(tables: Tables, known: Known, count: int) -> str:
    body = [
        [title, UNITS[unit], *(_statistic(name, known[task, unit, name]) for name in STATISTICS)]
        for task, title in _names(tables)
        for unit in COMPONENTS
    ]
    caption = (
        "Table 5. s-pruning's stability over seeds: share of components that some seeds keep and others do not;"
        " agreement beyond chance (1 is perfect, 0 is chance); p of a permutation test that seeds agree more than"
        " chance, shuffling over all components and within layers; p of Cochran's Q, which asks whether seeds keep"
        f" equally many, not the same ones. n = {count} seeds. Source: `tables/stability.csv`."
    )
    return table(caption, ["task", "of", *STATISTICS.values()], body, 2)


def _names(tables: Tables) -> list[tuple[str, str]]:
    """Task and title, in the order of the grid."""
    return list(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))


def _statistic(name: str, value: float) -> str:
    return probability(value) if "_p" in name else number(value)


COMPONENTS = ("heads", "mlps")
ENDS = ("super_survivors", "never_survivors")
STATISTICS = {
    "share_mixed": "share mixed",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "jaccard_p_uniform": "p, all",
    "jaccard_p_within_layer": "p, within layers",
    "cochran_p": "p, Cochran's Q",
}
SHOWN = (0.0, 0.25, 0.5, 0.75, 1.0)


def _importance(tables: Tables) -> str:
    """How importance is spread over the components, and whether seeds rank them alike."""
    levels = tables["importance"].set_index(["task", "unit", "quantile"])["mean"].to_dict()
    ranks = tables["importance-agreement"].groupby(["task", "unit"])["spearman"].mean().to_dict()
    body = [
        [
            title,
            UNITS[unit],
            *(number(levels[task, unit, level]) for level in SHOWN),
            number(ranks.get((task, unit))),
        ]
        for task, title in _names(tables)
        for unit in COMPONENTS
    ]
    header = ["task", "of", "smallest", "first quartile", "median", "third quartile", "largest"]
    return table(
        "Table 6. Importance in the unpruned models: quantiles over the components (means over seeds; heads are"
        " normalised within their layer, MLPs are not), and Spearman's correlation between two seeds (mean over"
        " pairs). Source: `tables/importance.csv`, `tables/importance-agreement.csv`.",
        [*header, "rank correlation of seeds"],
        body,
        2,
    )


def overlap(tables: Tables, figures: Paths) -> Iterator[str]:
    """Do tasks share a subnetwork?"""
    names = dict(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))
    frame = tables["overlap"]
    between_tasks = frame[frame["task_a"] != frame["task_b"]]
    if between_tasks.empty:
        yield "One task was run: there is nothing to overlap with."
        return
    for unit, own in between_tasks.groupby("unit", sort=False):
        ratio = own["mean"].sum() / own["expected"].sum() if own["expected"].sum() else float("nan")
        yield (
            f"Two tasks share {percent(own['jaccard'].mean())} of the {UNITS[str(unit)]} that either keeps"
            f" (mean Jaccard index; pairs of tasks: {len(own)}), {number(ratio, 2)} times as many as"
            " independent subnetworks of their sizes would share."
        )
    yield figure(
        figures["overlap"],
        f"Matrices of {listed(names.values())} against each other: heads, MLPs and weights that two tasks both keep.",
        "Figure 5. What two tasks keep in common with the same seed: mean ± standard deviation over"
        f" {seeds(frame['n'])} seeds, and in brackets what independent subnetworks of the same sizes would share; on"
        " the diagonal the size. Shade: share of all components. Source: `tables/overlap.csv`.",
    )
