"""Score tables: by cell, over seeds and over tasks; the trajectories of searches; the headline numbers.

The random draws of a seed are averaged before means over seeds are taken: a draw is not a replication.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lottery.analysis.claims import PAPER_METHODS
from lottery.analysis.frames import ordered, spread
from lottery.metrics import significance_margin
from lottery.tasks import get_task
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED, TICKET_STATE


def cells(scores: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """One row per task, seed, method, kind, state, split and metric, averaged over draws.

    `value` is NaN if a draw has no score; `draws` counts draws, and `examples` those of the split. `reported` marks
    the task's first metric on dev.
    """
    by = ["task", "seed", *TICKET_STATE, "split", "metric"]
    table = (
        scores.sort_values("draw", kind="stable")
        .groupby(by, sort=False, as_index=False)
        .agg(
            value=("value", lambda values: values.mean(skipna=False)),
            draws=("draw", "nunique"),
            examples=("n", "first"),
        )
    )
    main_metric = table["task"].map({name: get_task(name).metrics[0] for name in tasks})
    table["reported"] = (table["split"] == "dev") & (table["metric"] == main_metric)
    return ordered(table, tasks, by)


def results(cells: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every kind of ticket over the seeds; `share` is the mean as a share of the full model's."""
    over_seeds = spread(cells, ["task", *TICKET_STATE, "split", "metric", "reported", "examples"])
    key = ["task", "split", "metric"]
    full = over_seeds[over_seeds["kind"] == "full"].set_index(key)["mean"].rename("full")
    full_mean = over_seeds.join(full, on=key)["full"]
    return over_seeds.assign(share=_ratio(over_seeds["mean"], full_mean))


def overview(cells: pd.DataFrame, sizes: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Metrics, size and baselines of each task, and whether the task is degenerate.

    A task is degenerate if, with any seed, its full model has no score or is not significantly better than the
    majority class, or a search of the paper's methods kept nothing. Nothing can be concluded from tickets of such a
    task.
    """
    baselines = cells[cells["reported"] & (cells["method"] == "full")]
    searched = sizes["method"].isin([method.name for method in PAPER_METHODS])
    empty = sizes[searched & (sizes["sparsity"] >= 1)].groupby("task")["seed"].agg(set).to_dict()
    rows = []
    for name in tasks:
        task, of_task = get_task(name), baselines[baselines["task"] == name]
        examples = int(of_task["examples"].iloc[0])
        values = of_task.pivot(index="seed", columns="kind", values="value")
        margin = significance_margin(task.metrics[0], examples)
        above = values["full"] - values["majority"] > margin
        seeds_by_reason: dict[str, list[int]] = {
            "the full model does not clearly beat the majority class": values.index[
                ~above
            ].tolist(),
            "a search kept nothing": list(empty.get(name, ())),
        }
        reasons = [
            f"{reason} (seed {', '.join(map(str, sorted(seeds)))})"
            for reason, seeds in seeds_by_reason.items()
            if seeds
        ]
        rows.append(
            {
                "task": name,
                "title": task.title,
                "metric": task.metrics[0],
                "search_metric": task.search,
                "examples": examples,
                "majority": values["majority"].mean(),
                "full": values["full"].mean(),
                "degenerate": bool(reasons),
                "reason": "; ".join(reasons),
            }
        )
    return pd.DataFrame(rows)


def averages(cells: pd.DataFrame, overview: pd.DataFrame) -> pd.DataFrame:
    """Means over tasks within each seed, then over seeds; `share` is the mean as a share of the full model's.

    Scope `sound` leaves degenerate tasks out; scope `all` is there only if some task is degenerate. Only seeds with a
    score for every task count, and only kinds of tickets that every task has.
    """
    names, sound = overview["task"], overview.loc[~overview["degenerate"], "task"]
    scopes = {"sound": sound} | ({"all": names} if len(sound) < len(names) else {})
    frames = [_average(cells, list(tasks)).assign(scope=scope) for scope, tasks in scopes.items()]
    columns = [
        "scope",
        *TICKET_STATE,
        "tasks",
        "mean",
        "std",
        "low",
        "high",
        "n",
        "undefined",
        "share",
    ]
    return pd.concat(frames, ignore_index=True)[columns]


def _average(cells: pd.DataFrame, tasks: list[str]) -> pd.DataFrame:
    reported = cells[cells["reported"] & cells["task"].isin(tasks)]
    of_every_task = reported.groupby(TICKET_STATE)["task"].transform("nunique") == len(tasks)
    per_seed = (
        reported[of_every_task]
        .groupby([*TICKET_STATE, "seed"], sort=False)["value"]
        .agg(lambda values: values.mean(skipna=False))
        .reset_index()
    )
    over_seeds = spread(per_seed, TICKET_STATE)
    full = over_seeds.loc[over_seeds["kind"] == "full", "mean"]
    share = _ratio(over_seeds["mean"], full.iloc[0] if len(full) else np.nan)
    return ordered(over_seeds.assign(tasks=len(tasks), share=share), tasks, TICKET_STATE)


def selection(cells: pd.DataFrame) -> pd.DataFrame:
    """Share of the full model's score that pruned good tickets keep, on the selection data and on dev.

    `gap` is the share on the selection data minus the share on dev: how far the search overfitted its data. Empty if
    nothing was scored on selection data.
    """
    key = ["task", "metric", "split", "seed"]
    full = cells[cells["kind"] == "full"].set_index(key)["value"].rename("full")
    main_metric = cells["task"].map(lambda name: get_task(name).metrics[0])
    good = cells[
        (cells["kind"] == "good")
        & (cells["state"] == "pruned")
        & (cells["metric"] == main_metric)
        & cells["split"].isin(["select", "dev"])
    ].join(full, on=key)
    shares = good.assign(value=_ratio(good["value"], good["full"])).pivot(
        index=["task", "method", "seed"], columns="split", values="value"
    )
    shares = shares.reindex(columns=["select", "dev"]).dropna(how="all").reset_index()
    shares["gap"] = shares["select"] - shares["dev"]
    long = shares.melt(["task", "method", "seed"], ["select", "dev", "gap"], "quantity")
    long = long[long["task"].isin(shares.loc[shares["select"].notna(), "task"])]
    return spread(long, ["task", "method", "quantity"])


def curves(trajectory: pd.DataFrame) -> pd.DataFrame:
    """Every step of every search; `chosen` marks the good ticket, which is the last accepted step."""
    by = ["task", "seed", "method"]
    accepted = trajectory[trajectory["accepted"] | (trajectory["step"] == 0)]
    chosen = accepted.groupby(by)["step"].transform("max") == accepted["step"]
    return trajectory.assign(chosen=trajectory.index.isin(accepted.index[chosen]))


def first_phase(curves: pd.DataFrame) -> pd.DataFrame:
    """The full model (step 0) and the steps of each search's first phase, which make up its curve."""
    search = ["task", "seed", "method"]
    phase = curves[curves["step"] == 1].set_index(search)["phase"].rename("first_phase")
    in_phase = curves["phase"] == curves.join(phase, on=search)["first_phase"]
    return curves[in_phase | (curves["step"] == 0)]


def headline_numbers(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The numbers by which runs are compared: over sound tasks, the mean scores, sparsity and agreement of tickets.

    Undefined numbers are None. `jaccard` is the index of good tickets of two seeds, their heads or their weights,
    averaged over the pairs of seeds of all tasks.
    """
    averages, overview, sizes = frames["averages"], frames["tasks"], frames["sizes"]
    sound_averages = averages[averages["scope"] == "sound"].set_index(TICKET_STATE)
    mean, share = sound_averages["mean"].to_dict(), sound_averages["share"].to_dict()
    sound_tasks = overview.loc[~overview["degenerate"], "task"]
    sparsity = sizes[sizes["task"].isin(sound_tasks)].groupby("method")["sparsity"].mean()
    pairs = frames["agreement"]
    pairs = pairs[pairs["task"].isin(sound_tasks) & (pairs["unit"] != "mlps")]
    jaccard = pairs.groupby("method")["jaccard"].mean()
    numbers: dict[str, Any] = {
        kind: _rounded(mean.get(("full", kind, "finetuned"))) for kind in ("full", "majority")
    }
    for method in METHODS:
        numbers[method] = {
            state: {kind: _rounded(mean.get((method, kind, state))) for kind in GOOD_AND_CONTROLS}
            for state in MEASURED
        } | {
            "share_of_full": _rounded(share.get((method, "good", "pruned"))),
            "sparsity": _rounded(sparsity.get(method)),
            "jaccard": _rounded(jaccard.get(method)),
        }
    return numbers


def _rounded(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 6)


def _ratio(part: "pd.Series[float]", whole: Any) -> "pd.Series[float]":
    """`part / whole`; NaN if the whole is not positive, because a share of it has no meaning."""
    ratio: pd.Series[float] = part / whole
    return ratio.where(pd.Series(whole, index=part.index) > 0)
