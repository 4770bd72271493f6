"""The sections on what survives: where it is, and whether seeds and tasks agree on it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Number, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, STRUCTURED, Method
from lottery.vocabulary import UNITS
from lottery.wording import counted, listed, number, percent, seeds

Values = Mapping[Any, Any]
"""Values of a table by their keys."""
STATISTICS = {
    "share_mixed": "share mixed",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "jaccard_p_uniform": "p, all",
    "jaccard_p_within_layer": "p, within layers",
    "cochran_p": "p, Cochran's Q",
}
OWN_SIZE = -1.0
"""Stands for the missing `matched` of a ticket of the size of its search."""
QUANTILES = {
    0.0: "smallest",
    0.25: "first quartile",
    0.5: "median",
    0.75: "third quartile",
    1.0: "largest",
}


def survivors(material: Material) -> Iterator[Block]:
    """Where survivors are, and whether seeds and tasks agree on them."""
    yield from _agreement_in_words(material)
    yield Folded("Maps of survivors", list(_maps(material)))
    yield Folded("Agreement between seeds", list(_agreement(material)))
    yield Folded("Overlap between tasks", list(_overlap(material)))


def _maps(material: Material) -> Iterator[Figure]:
    """The heat maps, one figure for each pruning method."""
    count = len(material.seeds)
    panels = (
        f"Left: mean, right: standard deviation (std) over {count} seeds."
        if count > 1
        else "n = 1 seed."
    )
    for method in METHODS.values():
        title = method.title
        shown = (
            f"the share of each component's weights that {title} keeps"
            if method.prunes_weights
            else f"the share of seeds that keep a component under {title}"
        )
        kept = (
            "Share of its weights that each head (query, key, value and its part of the output) and MLP keeps; the"
            " scale spans the smallest to the largest share."
            if method.prunes_weights
            else "Share of seeds that keep each head and MLP."
        )
        yield Figure(
            material.figure(f"survival-{method.name}"),
            f"Heat maps of layers by heads, with the MLPs as a last column, for {listed(material.titles.values())}:"
            f" {shown}, over the seeds.",
            f"{title}. {kept} {panels} Dark is high. Source: `tables/survival.csv`.",
        )


def _agreement(material: Material) -> Iterator[Block]:
    """Agreement between the seeds of a task on which components survive."""
    if len(material.seeds) < 2:
        yield Paragraph("One seed was run: whether seeds agree is not known.")
    else:
        frame = material.tables["stability"]
        stability = frame.set_index(["task", "unit", "statistic"])["value"].to_dict()
        yield _alike(material, stability)
        yield _stability(material, stability)
    yield _importance(material)


def _agreement_in_words(material: Material) -> Iterator[Paragraph]:
    """Mean kappa of two seeds, at the size of the searches and at matched sizes."""
    sized = material.tables["agreement"].fillna({"matched": OWN_SIZE})
    kappas = sized.groupby(["method", "unit", "matched"], as_index=False, sort=False)[
        "kappa"
    ].mean()
    parts = [
        f"{method.title}, {UNITS[unit]}: {listed(map(_kappa, rows(of_unit)))}"
        for method in METHODS.values()
        for unit in method.units
        if len(
            of_unit := kappas[(kappas["method"] == method.name) & (kappas["unit"] == unit)].dropna()
        )
    ]
    if parts:
        yield Paragraph(
            f"Cohen's kappa of the masks of two seeds of a task, on average: {'; '.join(parts)}. 1 is the same mask, 0"
            " what chance gives."
        )


def _kappa(row: Any) -> str:
    size = (
        "as searches left them"
        if row.matched == OWN_SIZE
        else f"with {percent(row.matched, 0)} of the weights removed"
    )
    return f"{number(row.kappa, 2)} {size}"


def _alike(material: Material, stability: Values) -> Table:
    count = len(material.seeds)
    agreement = material.tables["agreement"]
    pairs = agreement[agreement["matched"].isna()].groupby(["task", "method", "unit"])
    alike = {
        key: Number(f"{number(row.jaccard)} ({number(row.chance)})", row.jaccard)
        for key, row in pairs[["jaccard", "chance"]].mean().iterrows()
    }
    units = [(method, unit) for method in METHODS.values() for unit in method.units]
    return Table(
        "Agreement between seeds: Jaccard index of two good subnetworks of one task, mean over all pairs of"
        f" seeds (n = {count} seeds, {counted(count * (count - 1) // 2, 'pair')}), and in brackets its value for random"
        " subnetworks of the same sizes. Source: `tables/agreement.csv`, `tables/stability.csv`.",
        [
            "task",
            *(f"{method.title}: {UNITS[unit]}" for method, unit in units),
            *(f"{UNITS[unit]} kept by all / by no seed" for unit in STRUCTURED.units),
        ],
        [
            [
                title,
                *(alike[task, method.name, unit] for method, unit in units),
                *(_extremes(stability, task, unit) for unit in STRUCTURED.units),
            ]
            for task, title in material.titles.items()
        ],
    )


def _extremes(stability: Values, task: str, unit: str) -> Entry:
    """Numbers of components that every seed keeps and that no seed keeps, with statistics of agreement."""
    always, never = (stability[task, unit, f"{name}_survivors"] for name in ("super", "never"))
    return Number(f"{number(always, 0)} / {number(never, 0)}", always)


def _stability(material: Material, stability: Values) -> Table:
    return Table(
        f"Stability of {STRUCTURED.title} over seeds: share of components that some seeds keep"
        " and others do not; agreement beyond chance (1 is perfect, 0 is chance); p of a permutation test that seeds"
        " agree more than chance, shuffling over all components and within layers; p of Cochran's Q, which tests"
        f" whether seeds keep equally many, not the same ones. n = {len(material.seeds)} seeds. Source:"
        " `tables/stability.csv`.",
        ["task", "components", *STATISTICS.values()],
        [
            [
                title,
                UNITS[unit],
                *(_statistic(name, stability[task, unit, name]) for name in STATISTICS),
            ]
            for task, title in material.titles.items()
            for unit in STRUCTURED.units
        ],
    )


def _statistic(name: str, value: float) -> Entry:
    return numbers.probability(value) if "_p" in name else numbers.number(value)


def _importance(material: Material) -> Table:
    """Quantiles of importance over the components, and its rank correlation between seeds."""
    importance, pairs = material.tables["importance"], material.tables["importance-agreement"]
    quantiles = importance.set_index(["task", "unit", "quantile"])["mean"].to_dict()
    correlations = pairs.groupby(["task", "unit"])["spearman"].mean().to_dict()
    return Table(
        "Importance in the unpruned models: quantiles over the components (means over seeds; heads are"
        " normalised within their layer, MLPs are not), and Spearman's correlation between two seeds (mean over"
        " pairs). Source: `tables/importance.csv`, `tables/importance-agreement.csv`.",
        ["task", "components", *QUANTILES.values(), "rank correlation of seeds"],
        [
            [
                title,
                UNITS[unit],
                *(numbers.number(quantiles[task, unit, quantile]) for quantile in QUANTILES),
                numbers.number(correlations.get((task, unit))),
            ]
            for task, title in material.titles.items()
            for unit in STRUCTURED.units
        ],
    )


def _overlap(material: Material) -> Iterator[Block]:
    """Overlap between the subnetworks of different tasks."""
    titles, frame = material.titles, material.tables["overlap"]
    frame = frame[frame["matched"].isna()]
    pairs = frame[frame["task_a"] != frame["task_b"]]
    if pairs.empty:
        yield Paragraph("One task was run, so overlap cannot be measured.")
        return
    for method in METHODS.values():
        for unit in method.units:
            yield _shared(
                pairs[(pairs["method"] == method.name) & (pairs["unit"] == unit)], method, unit
            )
    yield Figure(
        material.figure("overlap"),
        f"Matrices of {listed(titles.values())} against each other: heads, MLPs and weights that two tasks both keep.",
        "What two tasks keep in common with the same seed: mean ± standard deviation over"
        f" {seeds(frame['n'])}, and in brackets what independent subnetworks of the same sizes would share; on"
        " the diagonal the size. Shade: share of all components. Source: `tables/overlap.csv`.",
    )


def _shared(pairs: pd.DataFrame, method: Method, unit: str) -> Paragraph:
    expected = pairs["expected"].sum()
    ratio = pairs["mean"].sum() / expected if expected else float("nan")
    return Paragraph(
        f"Under {method.title}, two tasks share {percent(pairs['jaccard'].mean())} of the {UNITS[unit]} that either"
        f" keeps (mean Jaccard index; pairs of tasks: {len(pairs)}); the number shared is {number(ratio, 2)} times that"
        " expected for independent subnetworks of the same sizes."
    )
