"""The sections on scores: good subnetworks, their controls, and the paper's."""

from collections.abc import Iterator
from itertools import product

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, STRUCTURED, method_title
from lottery.vocabulary import (
    GOOD_AND_CONTROLS,
    KINDS,
    MEASURED,
    METRICS,
    STATES,
    SUPERS,
    TICKET_STATE,
    WHOLE,
)
from lottery.wording import NONE, counted, listed, seeds


def results(material: Material) -> Iterator[Block]:
    """All scores on dev, the super-survivors', and further metrics and splits."""
    scores, titles = material.tables["results"], material.titles
    super_survivors = scores["kind"].isin(SUPERS)
    reported = scores[scores["reported"] & ~super_survivors]
    supers = scores[scores["reported"] & super_survivors]
    yield _scores(material, reported)
    yield from _undefined(reported, titles)
    yield Figure(
        material.figure("scores"),
        f"Dot plot with a panel for {listed(titles.values())} and, of several, for their mean: scores of"
        " good, random and bad subnetworks of every pruning method, pruned and retrained; see Table 1.",
        "Figure 1. Good, random and bad subnetworks, pruned (open circles) and retrained (filled diamonds): mean and"
        " 95 % interval over seeds, with the full model (solid line) and the majority class (dotted line). Source:"
        " `tables/results.csv`, `tables/averages.csv`.",
    )
    if len(supers):
        yield _supers(material, supers)
    else:
        yield Paragraph("Super-survivors were not scored in this run.")
    yield from _others(scores, titles)


def _scores(material: Material, reported: pd.DataFrame) -> Table:
    averages = material.tables["averages"]
    by_task = {task: scores.set_index(TICKET_STATE) for task, scores in reported.groupby("task")}
    means = [scores.set_index(TICKET_STATE) for _, scores in averages.groupby("scope", sort=False)]
    columns = [*(by_task[task] for task in material.titles), *means]
    return Table(
        "Table 1. Scores on dev: mean ± standard deviation over seeds, and [95 % interval of the mean];"
        f" {seeds(pd.concat([reported['n'], averages['n']]))}. Random draws are averaged within a seed first."
        " Source: `tables/results.csv`, `tables/averages.csv`.",
        ["pruning", "state", "subnetwork", *_headings(material.tasks), *map(_mean_of, means)],
        [
            [
                *_named(method, kind, state),
                *(_score(column, (method, kind, state)) for column in columns),
            ]
            for method, kind, state in _owners()
        ],
    )


def _owners() -> list[tuple[str, str, str]]:
    """Method, kind and state of every row of scores."""
    baselines = [(WHOLE, "majority", "finetuned"), (WHOLE, "full", "finetuned")]
    tickets = product(METHODS, MEASURED, GOOD_AND_CONTROLS)
    return [*baselines, *((method, kind, state) for method, state, kind in tickets)]


def _named(method: str, kind: str, state: str) -> list[str]:
    return [method_title(method) or NONE, STATES[state], KINDS[kind]]


def _headings(tasks: pd.DataFrame) -> list[str]:
    return [
        f"{task.title}{' †' if task.degenerate else ''}, {METRICS[task.metric]}"
        for task in rows(tasks)
    ]


def _mean_of(averages: pd.DataFrame) -> str:
    return f"mean of {counted(int(averages['tasks'].iloc[0]), 'task')}"


def _score(scores: pd.DataFrame, key: tuple[str, ...]) -> Entry:
    """The entry of a frame indexed by keys; the majority class is a constant, which has no spread."""
    if key not in scores.index:
        return NONE
    row = next(rows(scores.loc[[key]]))
    return numbers.number(row.mean) if "majority" in key else numbers.spread(row)


def _undefined(reported: pd.DataFrame, titles: dict[str, str]) -> Iterator[Paragraph]:
    undefined = reported[reported["undefined"] > 0]
    if len(undefined):
        named = listed(
            f"{titles[row.task]}, {method_title(row.method)} {row.kind} {row.state} ({row.undefined})"
            for row in rows(undefined)
        )
        yield Paragraph(
            "Scores that are undefined, such as the correlation of constant predictions, are left out of these means"
            f" and of n: {named}."
        )


def _supers(material: Material, supers: pd.DataFrame) -> Table:
    key, averages = ["kind", "state"], material.tables["averages"]
    columns = [supers[supers["task"] == task].set_index(key) for task in material.titles]
    means = averages[(averages["scope"] == "sound") & averages["kind"].isin(SUPERS)].set_index(key)
    mean = _mean_of(means) if len(means) else "mean"
    return Table(
        f"Super-survivors of {STRUCTURED.title}: what every seed of a task keeps, next to as many"
        " components that only some seeds keep (super-random) or that no seed keeps (super-bad), filled up from the"
        " others if there are too few. Mean ± standard deviation and [95 % interval] on dev;"
        f" {seeds(supers['n'])}. Source: `tables/results.csv`.",
        ["state", "subnetwork", *_headings(material.tasks), mean],
        [
            [
                STATES[state],
                KINDS[kind],
                *(_score(column, (kind, state)) for column in [*columns, means]),
            ]
            for state in MEASURED
            for kind in SUPERS
        ],
    )


def _others(scores: pd.DataFrame, titles: dict[str, str]) -> Iterator[Table]:
    """Further metrics and splits of tasks that have them: the full model and the good subnetworks."""
    others = scores[~scores["reported"] & (scores["split"] != "select")]
    others = others[others["kind"].isin(["full", "good"])]
    if others.empty:
        return
    keys = list(dict.fromkeys((row.task, row.split, row.metric) for row in rows(others)))
    keyed = others.set_index(["task", "split", "metric", "method", "state"])
    good = [(method, state) for method in METHODS for state in MEASURED]
    owners = [(WHOLE, "finetuned"), *good]
    yield Table(
        f"Further metrics and splits: mean ± standard deviation and [95 % interval]; {seeds(others['n'])}."
        " Source: `tables/results.csv`.",
        [
            "task",
            "split",
            "metric",
            "full model",
            *(f"good, {method_title(method)}, {state}" for method, state in good),
        ],
        [
            [
                titles[task],
                split,
                METRICS[metric],
                *(_score(keyed, (task, split, metric, *owner)) for owner in owners),
            ]
            for task, split, metric in keys
        ],
    )


def published(material: Material) -> Iterator[Table]:
    """The paper's averages and ours, absolute and as shares of their full models."""
    averages, paper = material.tables["averages"], material.tables["published"]
    ours = averages[averages["scope"] == "sound"].set_index(TICKET_STATE)
    shares, theirs = ours["share"].to_dict(), paper.set_index(TICKET_STATE)["mean"].to_dict()
    full = float(theirs[WHOLE, "full", "finetuned"])
    here = f"over {counted(int(ours['tasks'].iloc[0]), 'task')}" if len(ours) else "over no task"
    yield Table(
        f"The paper's scores and ours: means over {counted(int(paper['tasks'].iloc[0]), 'task')} there (BERT-base, five"
        f" seeds; subnetworks chosen on the dev sets themselves), {here} here. Tasks and models differ, so compare"
        " shares of the full model's score, each with the share that the majority class reaches. Source:"
        " `tables/published.csv`, `tables/averages.csv`.",
        ["pruning", "state", "subnetwork", "paper", "paper, of full", "here", "here, of full"],
        [
            [
                *_named(*owner),
                numbers.number(theirs[owner]),
                numbers.percent(theirs[owner] / full),
                _score(ours, owner),
                numbers.percent(shares.get(owner)),
            ]
            for owner in _owners()
            if owner in theirs
        ],
    )
