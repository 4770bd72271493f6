"""Comparison of experiments: changed parameters, results, and differences from a baseline.

A difference is paired: it is taken in each cell that both experiments have and can use, averaged over the tasks of a
seed, and its interval is over seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lottery.analysis.intervals import Interval, interval
from lottery.analysis.score_tables import first_phase
from lottery.tickets.methods import METHODS
from lottery.wording import NONE, flat

TABLES = ("tasks", "verdicts", "cells", "sizes", "curves")
CELL = ["task", "seed"]
FULL = "full full finetuned"
"""A ticket's column: its method, kind and state."""
SCORES: Mapping[str, str] = {
    "full model": FULL,
    **{
        f"{method.title}, {state}": f"{method.name} good {state}"
        for method in METHODS.values()
        for state in ("pruned", "retrained")
    },
}
MARGINS: Mapping[str, tuple[str, str]] = {
    f"{method.title}, {state}": (
        f"{method.name} good {state}",
        f"{method.name} random {state}",
    )
    for method in METHODS.values()
    for state in ("pruned", "retrained")
}
REMOVED: Mapping[str, str] = {
    f"{method.title}, weights removed": method.name for method in METHODS.values()
}


@dataclass(frozen=True)
class Experiment:
    """An experiment: its parameters, the tables of its analysis (see TABLES) and its stages as DVC locked them."""

    name: str
    revision: str
    parameters: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    stages: Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A quantity of one run over its seeds, and its paired difference to the baseline's; n = 0 where none pairs."""

    run: str
    quantity: str
    own: Interval
    difference: Interval


def differing(runs: Sequence[Experiment]) -> pd.DataFrame:
    """One row per run, by name, and one column per parameter in which they differ, its values as text."""
    given = pd.DataFrame(
        [dict(flat(run.parameters)) for run in runs], index=[run.name for run in runs]
    ).fillna(NONE)
    return given.loc[:, given.nunique() > 1]


def arranged(runs: Sequence[Experiment]) -> list[Experiment]:
    """By the value of the one parameter they differ in, where that is a number; else as they come."""
    given = differing(runs)
    if len(given.columns) == 1:
        values = pd.to_numeric(given.iloc[:, 0], errors="coerce").to_list()
        if not any(map(pd.isna, values)):
            order = sorted(range(len(runs)), key=values.__getitem__)
            return [runs[at] for at in order]
    return list(runs)


def quantities(run: Experiment) -> pd.DataFrame:
    """One row per sound cell, one column per headline quantity: SCORES, MARGINS of good over random, REMOVED.

    A score is the task's reported metric on dev, in its own units; weights removed are a share.
    """
    cells, sizes, tasks = run.tables["cells"], run.tables["sizes"], run.tables["tasks"]
    sound = tasks.loc[~tasks["degenerate"], "task"]
    own = cells[cells["reported"] & cells["task"].isin(sound)]
    owner = own["method"] + " " + own["kind"] + " " + own["state"]
    wide = own.assign(owner=owner).pivot(index=CELL, columns="owner", values="value")
    scores = {name: wide[term] for name, term in SCORES.items() if term in wide}
    margins = {
        f"{name}, margin": wide[good] - wide[random]
        for name, (good, random) in MARGINS.items()
        if {good, random} <= set(wide)
    }
    removed = sizes.drop_duplicates([*CELL, "method"]).set_index(CELL)
    gone = {
        name: removed.loc[removed["method"] == method, "sparsity"].reindex(wide.index)
        for name, method in REMOVED.items()
    }
    return pd.DataFrame({**scores, **margins, **gone}, index=wide.index)


def compare(runs: Sequence[Experiment], baseline: Experiment) -> Iterator[Compared]:
    """Every quantity of every run, against the baseline's on the cells that both have."""
    reference = quantities(baseline)
    for run in runs:
        own = quantities(run)
        both = own.index.intersection(reference.index)
        for name in own:
            gap = (
                own[name].reindex(both) - reference[name].reindex(both)
                if name in reference
                else None
            )
            yield Compared(
                run=run.name,
                quantity=str(name),
                own=_over_seeds(own[name]),
                difference=interval([]) if gap is None else _over_seeds(gap),
            )


def _over_seeds(values: "pd.Series[float]") -> Interval:
    """The mean over a seed's tasks, over the seeds; a seed counts where all its tasks have a value."""
    per_seed = values.groupby(level="seed").agg(lambda each: each.mean(skipna=False))
    return interval(per_seed.dropna().tolist())


def flips(runs: Sequence[Experiment], baseline: Experiment) -> pd.DataFrame:
    """Every verdict that is not the baseline's: claim, run, and both verdicts with their effects and intervals."""
    columns = ["claim", "verdict", "effect", "low", "high", "n"]
    reference = baseline.tables["verdicts"][columns]
    found = [
        reference.merge(run.tables["verdicts"][columns], on="claim", suffixes=("_base", "_run"))
        .query("verdict_base != verdict_run")
        .assign(run=run.name)
        for run in runs
    ]
    joined = pd.concat(found, ignore_index=True)
    place = {claim: at for at, claim in enumerate(reference["claim"])}
    return joined.sort_values("claim", key=lambda claims: claims.map(place), kind="stable")


def shared(runs: Sequence[Experiment], baseline: Experiment) -> pd.DataFrame:
    """One row per run and stage: how many of its `instances` are locked exactly as in the baseline (`same`).

    Equal command, dependencies, parameters and outputs: DVC had nothing to run for them.
    """
    found = [
        {"run": run.name, "stage": name.split("@")[0], "same": baseline.stages.get(name) == locked}
        for run in runs
        for name, locked in run.stages.items()
    ]
    frame = pd.DataFrame(found, columns=["run", "stage", "same"])
    return frame.groupby(["run", "stage"], sort=False, as_index=False).agg(
        same=("same", "sum"), instances=("same", "size")
    )


def ways(runs: Sequence[Experiment]) -> pd.DataFrame:
    """The way down of every run: run, task, method, step, and the means over its seeds of sparsity and score.

    Only the first phase of a search, and only steps that all seeds of a run took; a step is `chosen` where it is the
    mean place (step is -1) of the subnetworks that the searches returned.
    """
    found = []
    for run in runs:
        steps = run.tables["curves"]
        main = first_phase(steps)
        seeds = main.groupby(["task", "method"])["seed"].nunique().to_dict()
        for (task, method, step), own in main.groupby(["task", "method", "step"], sort=False):
            if own["seed"].nunique() == seeds[task, method]:
                found.append(_place(run, task, method, step, own))
        for (task, method), own in steps[steps["chosen"]].groupby(["task", "method"], sort=False):
            found.append(_place(run, task, method, -1, own))
    return pd.DataFrame(found, columns=["run", "task", "method", "step", "sparsity", "score"])


def _place(run: Experiment, task: object, method: object, step: object, own: pd.DataFrame) -> Any:
    at = {name: own[name].mean() for name in ("sparsity", "score")}
    return {"run": run.name, "task": task, "method": method, "step": step} | at


def counts(run: Experiment) -> Mapping[str, int]:
    """How many verdicts of each word."""
    return {
        str(word): int(n) for word, n in run.tables["verdicts"]["verdict"].value_counts().items()
    }


def titles(runs: Sequence[Experiment]) -> pd.DataFrame:
    """The tasks of any of the runs, as their overview has them, each once."""
    return pd.concat([run.tables["tasks"] for run in runs]).drop_duplicates("task")
