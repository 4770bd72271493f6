"""Agreement between seeds on which components survive, and of their importance."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.columns import OWN_SIZE
from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, STRUCTURED
from lottery.tickets.parameters import ImportanceParameters
from lottery.tickets.saliencies import GATE, SALIENCIES
from lottery.vocabulary import UNITS
from lottery.wording import counted, listed, number, percent

EXTREMES = {"super_survivors": "by all", "never_survivors": "by none"}
STATISTICS = {
    "share_mixed": "share mixed",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "jaccard_p_uniform": "p, all",
    "jaccard_p_within_layer": "p, within layers",
    "cochran_p": "p, Cochran's Q",
}
QUANTILES = {
    0.0: "smallest",
    0.25: "first quartile",
    0.5: "median",
    0.75: "third quartile",
    1.0: "largest",
}


def agreement_in_words(material: Material) -> Iterator[Paragraph]:
    """Mean kappa of two seeds, at the size of the searches and at matched sizes."""
    sized = material.tables["agreement"].fillna({"matched": OWN_SIZE})
    kappas = (
        sized.groupby(["method", "unit", "matched"], as_index=False, sort=False)["kappa"]
        .mean()
        .dropna()
    )
    parts = []
    for method in METHODS.values():
        for unit in method.units:
            of_unit = kappas[(kappas["method"] == method.name) & (kappas["unit"] == unit)]
            if len(of_unit):
                parts.append(f"{method.title}, {UNITS[unit]}: {listed(map(_kappa, rows(of_unit)))}")
    if parts:
        yield Paragraph(
            f"Cohen's kappa of the masks of two seeds of a task, on average: {'; '.join(parts)}. 1 is the same mask, 0"
            " what chance gives."
        )


def _kappa(row: Any) -> str:
    size = (
        "as searches left them"
        if row.matched == OWN_SIZE
        else f"with about {percent(row.matched, 0)} of the weights removed"
    )
    return f"{number(row.kappa, 2)} {size}"


def agreement(material: Material) -> Iterator[Block]:
    """Agreement between the seeds of a task on which components survive."""
    if len(material.seeds) < 2:
        yield Paragraph("One seed was run: whether seeds agree is not known.")
    elif material.tables["agreement"].empty:
        yield Paragraph(
            "No two seeds of a task have usable tickets, so whether they agree is not known."
        )
    else:
        yield _alike(material)
        yield _stability(material)
    yield _importance(material)


def _alike(material: Material) -> Table:
    agreement = material.tables["agreement"]
    means = agreement.fillna({"matched": OWN_SIZE}).groupby(
        ["task", "method", "unit", "matched"], sort=False
    )
    return Table(
        "Agreement between seeds: mean Jaccard index of two good subnetworks of one task, and its value for random"
        " subnetworks of the same sizes; Cohen's kappa; its mean with the mask of the pre-trained weights, where there"
        f" is one. {counted(len(material.seeds), 'seed')}. Source: `tables/agreement.csv`.",
        ["task", "pruning", "of", "size", "Jaccard", "by chance", "kappa", "kappa, pre-trained"],
        [
            [
                material.titles[row.task],
                METHODS[row.method].title,
                UNITS[row.unit],
                _sized(row.matched),
                *map(numbers.number, (row.jaccard, row.chance, row.kappa, row.pretrained_kappa)),
            ]
            for row in rows(means.mean(numeric_only=True).reset_index())
        ],
    )


def _sized(matched: float) -> str:
    return "its own" if matched == OWN_SIZE else f"matched {matched:g}"


def _stability(material: Material) -> Table:
    frame = material.tables["stability"].fillna({"matched": OWN_SIZE})
    stability = frame.pivot_table("value", ["task", "matched", "unit"], "statistic", sort=False)
    return Table(
        f"Stability of {STRUCTURED.title} over seeds: components kept by all and by no seed; share that some seeds keep"
        " and others do not; agreement beyond chance (1 is perfect, 0 is chance); p of a permutation test that seeds"
        " agree more than chance, shuffling over all components and within layers; p of Cochran's Q, which tests"
        f" whether seeds keep equally many, not the same ones. n = {len(material.seeds)} seeds. Source:"
        " `tables/stability.csv`.",
        ["task", "of", "size", *EXTREMES.values(), *STATISTICS.values()],
        [
            [
                material.titles[task],
                UNITS[unit],
                _sized(matched),
                *(numbers.number(values.get(name), 0) for name in EXTREMES),
                *(_statistic(name, values.get(name)) for name in STATISTICS),
            ]
            for (task, matched, unit), values in _by_key(stability)
        ],
    )


def _by_key(table: pd.DataFrame) -> list[tuple[Any, dict[Any, float]]]:
    """The rows of a table with their keys."""
    return [(key, values.to_dict()) for key, values in table.iterrows()]


def _statistic(name: str, value: float | None) -> Entry:
    return numbers.probability(value) if "_p" in name else numbers.number(value)


def _importance(material: Material) -> Table:
    """Quantiles of importance over the components, and its rank correlation between seeds."""
    importance, pairs = material.tables["importance"], material.tables["importance-agreement"]
    quantiles = importance.set_index(["task", "unit", "quantile"])["mean"].to_dict()
    correlations = pairs.groupby(["task", "unit"])["spearman"].mean().to_dict()
    halves = material.tables["importance-reliability"]
    reliability = halves.groupby(["task", "unit"])["reliability"].mean().to_dict()
    saliency = SALIENCIES[material.parameters[ImportanceParameters].saliency]
    normalised = "; heads are normalised within their layer, MLPs are not"
    if saliency is not GATE:
        normalised = f"; {saliency.title}, summed over the weights of a head or MLP"
    return Table(
        f"Importance in the unpruned models: quantiles over the components (means over seeds{normalised}),"
        " and Spearman's correlation between two seeds (mean over"
        " pairs). Reliability: Spearman's correlation between the importances by either half of the examples, corrected"
        " for their number (Spearman-Brown; mean over seeds); what is not reliable is noise. Source:"
        " `tables/importance.csv`, `tables/importance-agreement.csv`, `tables/importance-reliability.csv`.",
        ["task", "components", *QUANTILES.values(), "rank correlation of seeds", "reliability"],
        [
            [
                title,
                UNITS[unit],
                *(numbers.number(quantiles[task, unit, quantile]) for quantile in QUANTILES),
                numbers.number(correlations.get((task, unit))),
                numbers.number(reliability.get((task, unit))),
            ]
            for task, title in material.titles.items()
            for unit in STRUCTURED.units
        ],
    )
