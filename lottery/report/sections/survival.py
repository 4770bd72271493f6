"""The sections on what survives: where it is, and whether seeds and tasks agree on it."""

from collections.abc import Iterator

import pandas as pd

from lottery.report.blocks import Block, Figure, Folded, Paragraph
from lottery.report.material import Material
from lottery.report.sections.agreement import agreement, agreement_in_words
from lottery.tickets.methods import METHODS, Method
from lottery.vocabulary import UNITS
from lottery.wording import listed, number, percent, seeds


def survivors(material: Material) -> Iterator[Block]:
    """Maps of the survivors, and their agreement over seeds and tasks."""
    yield from agreement_in_words(material)
    yield Folded("Maps of survivors", list(_maps(material)))
    yield Folded("Agreement between seeds", list(agreement(material)))
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


def _overlap(material: Material) -> Iterator[Block]:
    """Overlap between the subnetworks of different tasks."""
    titles, frame = material.titles, material.tables["overlap"]
    frame = frame[frame["matched"].isna()]
    pairs = frame[frame["task_a"] != frame["task_b"]]
    if pairs.empty:
        yield Paragraph(
            "Fewer than two tasks have usable tickets of one seed, so overlap cannot be measured."
        )
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
