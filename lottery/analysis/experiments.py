"""Comparison of experiments: changed parameters, results, and differences from a baseline.

Differences are paired: taken in each non-degenerate cell that both experiments have, and averaged over the tasks of a
seed. Intervals are over seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lottery.analysis.columns import CELL, SEARCH
from lottery.analysis.intervals import Interval, interval
from lottery.analysis.score_tables import first_phase
from lottery.tickets.methods import METHODS
from lottery.vocabulary import MEASURED
from lottery.wording import NONE, flat

TABLES = ("tasks", "verdicts", "cells", "sizes", "curves")
OPTIONAL = ("rankings",)
"""Tables that earlier versions did not write."""
# Values are column names "<method> <kind> <state>".
SCORES: Mapping[str, str] = {
    "full model": "full full finetuned",
    **{
        f"{method.title}, {state}": f"{method.name} good {state}"
        for method in METHODS.values()
        for state in MEASURED
    },
}
MARGINS: Mapping[str, tuple[str, str]] = {
    f"{method.title}, {state}": (
        f"{method.name} good {state}",
        f"{method.name} random {state}",
    )
    for method in METHODS.values()
    for state in MEASURED
}
REMOVED: Mapping[str, str] = {
    f"{method.title}, weights removed": method.name for method in METHODS.values()
}


@dataclass(frozen=True)
class Experiment:
    """A run of the pipeline: its parameters, TABLES of its analysis and those of OPTIONAL that there are, and its
    stages as dvc.lock records them."""

    name: str
    revision: str
    parameters: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    stages: Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """A quantity of one run, estimated over its seeds, and its paired difference from the baseline.

    The difference has n = 0 if the runs have no cell in common.
    """

    run: str
    quantity: str
    estimate: Interval
    difference: Interval


def changed_parameters(runs: Sequence[Experiment]) -> pd.DataFrame:
    """Values, as text, of the parameters in which runs differ: a row per run, by name, a column per parameter."""
    parameters = pd.DataFrame(
        [dict(flat(run.parameters)) for run in runs], index=[run.name for run in runs]
    ).fillna(NONE)
    return parameters.loc[:, parameters.nunique() > 1]


def in_order_of_change(runs: Sequence[Experiment]) -> list[Experiment]:
    """Runs sorted by the one parameter in which they differ, if its values are numbers; else in the given order."""
    parameters = changed_parameters(runs)
    if len(parameters.columns) != 1:
        return list(runs)
    values = pd.to_numeric(parameters.iloc[:, 0], errors="coerce").to_list()
    if any(map(pd.isna, values)):
        return list(runs)
    order = sorted(range(len(runs)), key=values.__getitem__)
    return [runs[index] for index in order]


def headline_quantities(run: Experiment) -> pd.DataFrame:
    """One row per sound cell, and one column per quantity of SCORES, MARGINS and REMOVED.

    A score is the task's reported metric on dev, in its own units; weights removed are a share. Tickets that are not
    usable have neither here.
    """
    cells, sizes = run.tables["cells"], run.tables["sizes"]
    reported = cells[cells["reported"] & cells["usable"] & cells["matched"].isna()]
    columns = reported["method"] + " " + reported["kind"] + " " + reported["state"]
    values = reported.assign(column=columns).pivot(index=CELL, columns="column", values="value")
    scores = {name: values[column] for name, column in SCORES.items() if column in values}
    margins = {
        f"{name}, margin": values[good] - values[random]
        for name, (good, random) in MARGINS.items()
        if {good, random} <= set(values)
    }
    good = reported.loc[reported["kind"] == "good", SEARCH].drop_duplicates()
    searches = sizes.drop_duplicates(SEARCH).merge(good, on=SEARCH).set_index(CELL)
    removed = {
        name: searches.loc[searches["method"] == method, "sparsity"].reindex(values.index)
        for name, method in REMOVED.items()
    }
    return pd.DataFrame({**scores, **margins, **removed}, index=values.index)


def compare(runs: Sequence[Experiment], baseline: Experiment) -> Iterator[Comparison]:
    """Every headline quantity of every run, and its difference from the baseline on the cells that both have."""
    reference = headline_quantities(baseline)
    for run in runs:
        quantities = headline_quantities(run)
        common_cells = quantities.index.intersection(reference.index)
        for name, values in quantities.items():
            difference = interval([])
            if name in reference:
                pairs = values.reindex(common_cells) - reference[name].reindex(common_cells)
                difference = _over_seeds(pairs)
            yield Comparison(run.name, str(name), _over_seeds(values), difference)


def _over_seeds(values: "pd.Series[float]") -> Interval:
    """Mean over tasks within each seed, then over seeds; a seed that lacks a task of the others is left out."""
    per_seed = values.unstack("task").mean(axis=1, skipna=False)
    return interval(per_seed.dropna().tolist())


def changed_verdicts(runs: Sequence[Experiment], baseline: Experiment) -> pd.DataFrame:
    """Verdicts that differ from the baseline's: claim, run, and both verdicts with effects and intervals."""
    columns = ["claim", "verdict", "effect", "low", "high", "cells"]
    reference = baseline.tables["verdicts"][columns]
    changed = [
        reference.merge(run.tables["verdicts"][columns], on="claim", suffixes=("_base", "_run"))
        .query("verdict_base != verdict_run")
        .assign(run=run.name)
        for run in runs
    ]
    rank = {claim: number for number, claim in enumerate(reference["claim"])}
    return pd.concat(changed, ignore_index=True).sort_values(
        "claim", key=lambda claims: claims.map(rank), kind="stable"
    )


def reused_stages(runs: Sequence[Experiment], baseline: Experiment) -> pd.DataFrame:
    """Number of `instances` of each stage of a run, and of those locked as in the baseline (`same`).

    Those have the same command, dependencies, parameters and outputs: DVC did not run them again.
    """
    rows = [
        {"run": run.name, "stage": name.split("@")[0], "same": baseline.stages.get(name) == locked}
        for run in runs
        for name, locked in run.stages.items()
    ]
    frame = pd.DataFrame(rows, columns=["run", "stage", "same"])
    return frame.groupby(["run", "stage"], sort=False, as_index=False).agg(
        same=("same", "sum"), instances=("same", "size")
    )


def trajectories(runs: Sequence[Experiment]) -> pd.DataFrame:
    """Mean trajectories: run, task, method, step, and sparsity and score averaged over the run's seeds.

    They consist of the steps of a search's first phase that all seeds of the run took. Step -1 stands for the mean of
    the good tickets, whose steps differ between seeds.
    """
    rows = []
    for run in runs:
        curves = run.tables["curves"]
        steps = first_phase(curves)
        seeds = steps.groupby(["task", "method"])["seed"].nunique().to_dict()
        for (task, method, step), of_step in steps.groupby(["task", "method", "step"], sort=False):
            if of_step["seed"].nunique() == seeds[task, method]:
                rows.append(_mean_point(run, task, method, step, of_step))
        chosen = curves[curves["chosen"]]
        for (task, method), good in chosen.groupby(["task", "method"], sort=False):
            rows.append(_mean_point(run, task, method, -1, good))
    return pd.DataFrame(rows, columns=["run", "task", "method", "step", "sparsity", "score"])


def _mean_point(
    run: Experiment, task: object, method: object, step: object, steps: pd.DataFrame
) -> dict[str, object]:
    means = {column: steps[column].mean() for column in ("sparsity", "score")}
    return {"run": run.name, "task": task, "method": method, "step": step, **means}


def verdict_counts(run: Experiment) -> Mapping[str, int]:
    """Number of claims with each verdict."""
    counts = run.tables["verdicts"]["verdict"].value_counts()
    return {str(verdict): int(count) for verdict, count in counts.items()}


def all_tasks(runs: Sequence[Experiment]) -> pd.DataFrame:
    """The tasks of all runs, each once: rows of their overviews."""
    return pd.concat([run.tables["tasks"] for run in runs]).drop_duplicates("task")
