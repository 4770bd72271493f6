"""Score tables: by cell, by draw and over seeds; the trajectories of searches; what a search overfits.

The draws of a seed are averaged before means over seeds are taken: a draw is not a replication.
"""

from collections.abc import Sequence

import pandas as pd

from lottery.analysis.columns import CELL, SEARCH, SIZED
from lottery.analysis.frames import is_reported, ordered, possible, spread
from lottery.analysis.scale import corrected
from lottery.tasks import get_task
from lottery.vocabulary import WHOLE

"""The columns that say which kind of ticket was scored, of which size, and in which state."""


def cells(scores: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """One row per task, seed, method, kind, state, matched, split and metric, averaged over draws.

    `value` is NaN if a draw has no score; `share` is the corrected score. `draws` counts draws, and `examples` those
    of the split. `reported` marks the task's first metric on dev.
    """
    by = [*CELL, *SIZED, "split", "metric"]
    table = (
        corrected(scores)
        .sort_values("draw", kind="stable")
        .groupby(by, sort=False, as_index=False, dropna=False)
        .agg(
            value=("value", lambda values: values.mean(skipna=False)),
            share=("share", lambda values: values.mean(skipna=False)),
            draws=("draw", "nunique"),
            examples=("n", "first"),
        )
    )
    return ordered(table.assign(reported=is_reported(table)), tasks, by)


def draws(
    scores: pd.DataFrame, searches: pd.DataFrame, curves: pd.DataFrame, tasks: Sequence[str]
) -> pd.DataFrame:
    """One row per ticket scored pruned on dev, by the task's first metric, with its sparsity.

    `sparsity` is that of the step of the search whose size the ticket has; super-survivors have none here.
    """
    frame = corrected(scores)
    frame = frame[is_reported(frame) & (frame["state"] == "pruned")]
    matched = _matched_sparsity(curves, frame["matched"].dropna().unique().tolist())
    frame = frame.join(searches.set_index(SEARCH)["sparsity"], on=SEARCH)
    frame = frame.join(matched.rename("at_matched"), on=[*SEARCH, "matched"])
    searched = frame["sparsity"].where(~frame["kind"].str.startswith("super"))
    columns = ["task", "seed", "method", "kind", "draw", "matched", "sparsity", "value", "share"]
    table = frame.assign(sparsity=searched.where(frame["matched"].isna(), frame["at_matched"]))[
        columns
    ]
    return ordered(table, tasks, ["task", "seed", "method", "matched", "kind", "draw"])


def _matched_sparsity(curves: pd.DataFrame, matched: Sequence[float]) -> "pd.Series[float]":
    """The sparsity in the first phase of each search that is nearest to each matched one."""
    nearest = {
        (*search, target): _nearest(of_search.tolist(), target)
        for search, of_search in first_phase(curves).groupby(SEARCH)["sparsity"]
        for target in matched
    }
    index = pd.MultiIndex.from_tuples(list(nearest), names=[*SEARCH, "matched"])
    return pd.Series(list(nearest.values()), index, dtype=float)


def _nearest(values: Sequence[float], target: float) -> float:
    return min(values, key=lambda value: abs(value - target))


def results(cells: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every kind of ticket over the seeds; `share` is the mean of the corrected score.

    Tickets that are not usable are `undefined`: their scores are in `cells` alone. Baselines are in every row.
    """
    by = ["task", *SIZED, "split", "metric", "reported", "examples"]
    counted = cells["usable"] | (cells["method"] == WHOLE)
    over_seeds = spread(cells.assign(value=cells["value"].where(counted)), by)
    shares = spread(cells.assign(share=cells["share"].where(cells["usable"])), by, "share")
    return possible(over_seeds, over_seeds["metric"]).assign(share=shares["mean"])


def overview(cells: pd.DataFrame, sound: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Metrics, size and baselines of each task, its sound cells, and whether it is degenerate: has none.

    `reason` gives the codes of the cells that are not sound, with their seeds.
    """
    baselines = cells[cells["reported"] & (cells["method"] == WHOLE)]
    rows = []
    for name in tasks:
        task, of_task = get_task(name), baselines[baselines["task"] == name]
        values = of_task.pivot(index="seed", columns="kind", values="value")
        of_cells = sound.loc[name]
        reasons = of_cells.loc[~of_cells["sound"], "reason"]
        rows.append(
            {
                "task": name,
                "title": task.title,
                "metric": task.metrics[0],
                "search_metric": task.search,
                "examples": int(of_task["examples"].iloc[0]),
                "majority": values["majority"].mean(),
                "full": values["full"].mean(),
                "seeds": len(of_cells),
                "sound_seeds": int(of_cells["sound"].sum()),
                "degenerate": not of_cells["sound"].any(),
                "reason": "; ".join(f"{seed}: {reason}" for seed, reason in reasons.items()),
            }
        )
    return pd.DataFrame(rows)


def selection(cells: pd.DataFrame) -> pd.DataFrame:
    """Corrected score that pruned good tickets keep, on the selection data and on dev, over the seeds.

    `gap` is that on the selection data minus that on dev: how far the search overfitted its data. Empty if nothing
    was scored on selection data. Tickets that are not usable are left out.
    """
    main_metric = cells["task"].map(lambda name: get_task(name).metrics[0])
    good = cells[
        (cells["kind"] == "good")
        & (cells["state"] == "pruned")
        & cells["matched"].isna()
        & (cells["metric"] == main_metric)
        & cells["split"].isin(["select", "dev"])
        & cells["usable"]
    ]
    shares = good.pivot(index=["task", "method", "seed"], columns="split", values="share")
    shares = shares.reindex(columns=["select", "dev"]).dropna().reset_index()
    shares["gap"] = shares["select"] - shares["dev"]
    long = shares.melt(["task", "method", "seed"], ["select", "dev", "gap"], "quantity")
    return spread(long, ["task", "method", "quantity"])


def curves(trajectory: pd.DataFrame, searches: pd.DataFrame) -> pd.DataFrame:
    """Every step of every search; `chosen` marks the good ticket, which is the last accepted step.

    `guess` is the score of the majority class on the data that drive the search (`soundness.searches`).
    """
    accepted = trajectory[trajectory["accepted"] | (trajectory["step"] == 0)]
    chosen = accepted.groupby(SEARCH)["step"].transform("max") == accepted["step"]
    marked = trajectory.assign(chosen=trajectory.index.isin(accepted.index[chosen]))
    if "neurons" in marked and marked["neurons"].isna().all():
        marked = marked.drop(columns="neurons")
    return marked.join(searches.set_index(SEARCH)["guess"], on=SEARCH)


def first_phase(curves: pd.DataFrame) -> pd.DataFrame:
    """The full model (step 0) and the steps of each search's first phase, which make up its curve."""
    search = ["task", "seed", "method"]
    phase = curves[curves["step"] == 1].set_index(search)["phase"].rename("first_phase")
    in_phase = curves["phase"] == curves.join(phase, on=search)["first_phase"]
    return curves[in_phase | (curves["step"] == 0)]
