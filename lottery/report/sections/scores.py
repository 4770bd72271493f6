"""The section on scores: every cell as a point, baselines, data from elsewhere, super-survivors, further metrics."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Number, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import STRUCTURED, method_title
from lottery.vocabulary import KINDS, MEASURED, METRICS, STATES, SUPERS
from lottery.wording import NONE, listed, number, seeds

OWNER = ["method", "kind", "state"]
WITHOUT_ENCODER = ("majority", "words")
"""Baselines, which are neither pruned nor trained."""


def scores(material: Material) -> Iterator[Block]:
    """Averages against the paper's; folded: cells, scores of every metric, baselines, out of distribution, supers."""
    yield _averages(material)
    yield Folded("Every cell", [_figure(material)])
    yield Folded("Scores of every task, in its metrics", list(_by_task(material)))
    if len(material.tables["baselines"]):
        yield Folded(
            "Baselines: bag of words, and the same masks on random weights", [_baselines(material)]
        )
    ood = material.tables["ood"]
    if len(ood):
        yield Folded("Other sources of the same task", [_elsewhere(ood, material.titles)])
    yield Folded("Super-survivors", [_supers(material)])


INTERVALS = {
    "t": "t test over seeds",
    "bootstrap": "where all tasks have five seeds, Multi-Bootstrap over seeds and examples",
}
"""What the bounds of a mean are, by their name in the table."""


def _averages(material: Material) -> Block:
    """Chance-corrected means beside the authors'."""
    averages, published = material.tables["averages"], material.tables["published"]
    ours = averages[
        averages["matched"].isna() & ~averages["kind"].isin([*SUPERS, "full", "majority"])
    ]
    if ours.empty:
        return Paragraph("No cell is sound, so that there are no averages.")
    theirs = published.set_index(OWNER)["share"].to_dict()
    intervals = "; ".join(INTERVALS[name] for name in INTERVALS if name in set(ours["interval"]))
    return Table(
        f"Mean over tasks of the mean r of sound cells, with its 95 % interval over n cells ({intervals}), and the"
        " authors'. Source: `tables/averages.csv`, `tables/published.csv`.",
        ["pruning", "state", "subnetwork", "r", "n", "paper"],
        [
            [
                *_named(row.method, row.kind, row.state),
                numbers.estimate(row, 2),
                numbers.number(row.n, 0),
                numbers.number(theirs.get((row.method, row.kind, row.state)), 2),
            ]
            for row in rows(ours)
        ],
    )


def _named(method: str, kind: str, state: str) -> list[str]:
    trained = NONE if kind in WITHOUT_ENCODER else STATES[state]
    return [method_title(method) or NONE, trained, KINDS[kind]]


def _figure(material: Material) -> Figure:
    return Figure(
        material.figure("scores"),
        f"Dot plot with a panel for {listed(material.titles.values())}: chance-corrected scores of good, random and bad"
        " subnetworks of every pruning method, pruned and retrained, a point for every seed.",
        "Good, random and bad subnetworks, pruned (open circles) and retrained (filled diamonds): a point for every"
        " seed, its random and bad draws averaged; bars: their mean. Source: `tables/cells.csv`.",
    )


def _by_task(material: Material) -> Iterator[Table]:
    """A table for every task: all metrics and splits of all its tickets."""
    results = material.tables["results"]
    results = results[results["split"] != "select"]
    for task, title in material.titles.items():
        of_task = results[results["task"] == task]
        columns = list(dict.fromkeys((row.split, row.metric) for row in rows(of_task)))
        keyed = of_task.set_index([*OWNER, "matched", "split", "metric"])
        owners = of_task[[*OWNER, "matched"]].drop_duplicates()
        yield Table(
            f"Scores on {title}: mean ± standard deviation over seeds and [95 % interval of the mean, cut at what the"
            f" metric cannot exceed]; {seeds(of_task['n'])}. Source: `tables/results.csv`.",
            [
                "pruning",
                "state",
                "subnetwork",
                *(f"{METRICS[metric]}, {split}" for split, metric in columns),
            ],
            [
                [
                    *_named(row.method, row.kind, row.state)[:2],
                    KINDS[row.kind]
                    + ("" if pd.isna(row.matched) else f", matched {row.matched:g}"),
                    *(_score(keyed, (*row, *column)) for column in columns),
                ]
                for row in rows(owners)
            ],
        )


def _score(scores: pd.DataFrame, key: tuple[object, ...]) -> Entry:
    """The entry of a frame indexed by keys; the majority class is a constant, which has no spread."""
    if key not in scores.index:
        return NONE
    row = next(rows(scores.loc[[key]]))
    return numbers.number(row.mean) if "majority" in key else numbers.spread(row)


def _baselines(material: Material) -> Table:
    """The baselines beside the tickets, task by task."""
    return Table(
        "Baselines on dev: a bag of words (TF-IDF and logistic regression; overlap of words for a similarity) and good"
        " masks trained from random weights, beside full, good and bad: mean ± standard deviation over n seeds, and r."
        " Source: `tables/baselines.csv`.",
        ["task", *OWNER_TITLES, "score", "r", "n"],
        [_beside(row, material.titles[row.task]) for row in rows(material.tables["baselines"])],
    )


def _elsewhere(ood: pd.DataFrame, titles: dict[str, str]) -> Table:
    """Splits of a task from other sources."""
    return Table(
        "The same models and subnetworks on examples from other sources, on which nothing was trained or chosen: mean ±"
        " standard deviation over n seeds, and r on each split's own scale. Source: `tables/ood.csv`.",
        ["task", "split", *OWNER_TITLES, "score", "r", "n"],
        [_beside(row, titles[row.task], row.split) for row in rows(ood)],
    )


OWNER_TITLES = ("pruning", "state", "subnetwork")


def _beside(row: Any, *first: str) -> list[Entry]:
    text = number(row.value) + ("" if pd.isna(row.std) else f" ± {number(row.std)}")
    return [
        *first,
        *_named(row.method, row.kind, row.state),
        NONE if pd.isna(row.value) else Number(text, row.value),
        numbers.number(row.share, 2),
        numbers.number(row.n, 0),
    ]


def _supers(material: Material) -> Block:
    results = material.tables["results"]
    supers = results[results["reported"] & results["kind"].isin(SUPERS)]
    if supers.empty:
        return Paragraph("Super-survivors were not scored in this run.")
    columns = {
        title: supers[supers["task"] == task].set_index(["kind", "state"])
        for task, title in material.titles.items()
    }
    return Table(
        f"Super-survivors of {STRUCTURED.title}: what every seed of a task keeps, beside as many components that only"
        " some seeds keep (super-random) or that no seed keeps (super-bad), filled up from the others if there are too"
        f" few. Mean ± standard deviation and [95 % interval] on dev; {seeds(supers['n'])}. Source:"
        " `tables/results.csv`.",
        ["state", "subnetwork", *columns],
        [
            [
                STATES[state],
                KINDS[kind],
                *(_score(column, (kind, state)) for column in columns.values()),
            ]
            for state in MEASURED
            for kind in SUPERS
        ],
    )
