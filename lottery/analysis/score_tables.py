"""From scores to tidy tables: per task, over the tasks, and the headline numbers.

Random draws of a seed are averaged before anything is taken over seeds: a draw is not a replication.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lottery.analysis.frames import ordered, spread
from lottery.metrics import significance_margin
from lottery.tasks import get_task
from lottery.tickets.methods import METHODS
from lottery.vocabulary import CONTROLLED

OWNER = ["method", "kind", "state"]


def cells(scores: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """One row per task, seed, method, kind, state, split and metric, the draws averaged.

    `value` is NaN where a draw has no score, `draws` counts them, `examples` the split's.
    """
    by = ["task", "seed", *OWNER, "split", "metric"]
    found = (
        scores.sort_values("draw", kind="stable")
        .groupby(by, sort=False, as_index=False)
        .agg(
            value=("value", lambda values: values.mean(skipna=False)),
            draws=("draw", "nunique"),
            examples=("n", "first"),
        )
    )
    found["reported"] = (found["split"] == "dev") & (
        found["metric"] == found["task"].map({name: get_task(name).metrics[0] for name in tasks})
    )
    return ordered(found, tasks, by)


def results(cells: pd.DataFrame) -> pd.DataFrame:
    """Each subnetwork's metrics over the seeds; `share` is the mean over that of the full model."""
    by = ["task", *OWNER, "split", "metric", "reported", "examples"]
    found = spread(cells, by)
    key = ["task", "split", "metric"]
    full = found[found["kind"] == "full"].set_index(key)["mean"].rename("full")
    found = found.join(full, on=key)
    return found.assign(share=_ratio(found["mean"], found["full"])).drop(columns="full")


def overview(cells: pd.DataFrame, sizes: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """What each task is measured by, and whether its tickets mean anything.

    Degenerate is a task one of whose seeds has a full model without a score or not clearly above the majority
    class, or a search that kept nothing at all.
    """
    reported = cells[cells["reported"] & (cells["method"] == "full")]
    score = reported.pivot(index=["task", "seed"], columns="kind", values="value")
    empty = sizes[sizes["sparsity"] >= 1].groupby("task")["seed"].agg(set).to_dict()
    rows = []
    for name in tasks:
        own = score.loc[name]
        metric = get_task(name).metrics[0]
        examples = int(reported.loc[reported["task"] == name, "examples"].iloc[0])
        above = own["full"] - own["majority"] > significance_margin(metric, examples)
        reasons = [
            f"{text} (seed {', '.join(map(str, sorted(seeds)))})"
            for text, seeds in (
                (
                    "the full model does not clearly beat the majority class",
                    own.index[~above].tolist(),
                ),
                ("a search kept nothing", empty.get(name, ())),
            )
            if seeds
        ]
        rows.append(
            {
                "task": name,
                "title": get_task(name).title,
                "metric": metric,
                "search_metric": get_task(name).search,
                "examples": examples,
                "majority": own["majority"].mean(),
                "full": own["full"].mean(),
                "degenerate": bool(reasons),
                "reason": "; ".join(reasons),
            }
        )
    return pd.DataFrame(rows)


def averages(cells: pd.DataFrame, overview: pd.DataFrame) -> pd.DataFrame:
    """The mean over tasks, taken within each seed, over the seeds; `share` is that of the full model's.

    Scope `sound` leaves degenerate tasks out, `all` is everything and there only where the two differ.
    A seed counts where every task has a score; a kind counts where every task has it.
    """
    names, sound = overview["task"], overview.loc[~overview["degenerate"], "task"]
    scopes = {"sound": sound} | ({"all": names} if len(sound) < len(names) else {})
    frames = [_average(cells, list(scope)).assign(scope=key) for key, scope in scopes.items()]
    columns = ["scope", *OWNER, "tasks", "mean", "std", "low", "high", "n", "undefined", "share"]
    return pd.concat(frames, ignore_index=True)[columns]


def _average(cells: pd.DataFrame, tasks: list[str]) -> pd.DataFrame:
    own = cells[cells["reported"] & cells["task"].isin(tasks)]
    everywhere = own.groupby(OWNER)["task"].transform("nunique") == len(tasks)
    per_seed = (
        own[everywhere]
        .groupby([*OWNER, "seed"], sort=False)["value"]
        .agg(lambda values: values.mean(skipna=False))
        .reset_index()
    )
    found = spread(per_seed, OWNER)
    full = found.loc[found["kind"] == "full", "mean"]
    share = _ratio(found["mean"], full.iloc[0] if len(full) else np.nan)
    return ordered(found.assign(tasks=len(tasks), share=share), tasks, OWNER)


def selection(cells: pd.DataFrame) -> pd.DataFrame:
    """How much of the full model's score the good subnetworks keep, as cut, on both splits.

    `gap` = share kept on the selection data minus share kept on dev: what the search fitted to its data.
    Empty where nothing was scored on selection data.
    """
    key = ["task", "metric", "split", "seed"]
    full = cells[cells["kind"] == "full"].set_index(key)["value"].rename("full")
    good = cells[(cells["kind"] == "good") & (cells["state"] == "pruned")]
    good = good[good["metric"].isin(cells.loc[cells["reported"], "metric"])].join(full, on=key)
    main = good["task"].map(lambda name: get_task(name).metrics[0])
    good = good[(good["metric"] == main) & good["split"].isin(["select", "dev"])]
    wide = good.assign(value=_ratio(good["value"], good["full"])).pivot(
        index=["task", "method", "seed"], columns="split", values="value"
    )
    wide = wide.reindex(columns=["select", "dev"]).dropna(how="all").reset_index()
    wide["gap"] = wide["select"] - wide["dev"]
    long = wide.melt(["task", "method", "seed"], ["select", "dev", "gap"], "quantity")
    long = long[long["task"].isin(wide.loc[wide["select"].notna(), "task"])]
    return spread(long, ["task", "method", "quantity"])


def curves(trajectory: pd.DataFrame) -> pd.DataFrame:
    """Every step of every search; `chosen` marks the one that was returned, the last accepted."""
    by = ["task", "seed", "method"]
    accepted = trajectory[trajectory["accepted"] | (trajectory["step"] == 0)]
    chosen = accepted.groupby(by)["step"].transform("max") == accepted["step"]
    return trajectory.assign(chosen=trajectory.index.isin(accepted.index[chosen]))


def first_phase(curves: pd.DataFrame) -> pd.DataFrame:
    """The steps of every search's first phase, which draws its curve; the full model (step 0) included."""
    search = ["task", "seed", "method"]
    phase = curves[curves["step"] == 1].set_index(search)["phase"].rename("first_phase")
    in_phase = curves["phase"] == curves.join(phase, on=search)["first_phase"]
    return curves[in_phase | (curves["step"] == 0)]


def headline(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The numbers an experiment is compared by: mean scores over the sound tasks, sizes, agreement.

    Undefined numbers are None. `jaccard` compares the good subnetworks of two seeds, `heads` of structured
    and `weights` of magnitude pruning, and is a mean over pairs of seeds and over the tasks.
    """
    averages, overview, sizes = frames["averages"], frames["tasks"], frames["sizes"]
    scored = averages[averages["scope"] == "sound"].set_index(OWNER)
    sound, share = scored["mean"].to_dict(), scored["share"].to_dict()
    kept = overview.loc[~overview["degenerate"], "task"]
    sparsity = sizes[sizes["task"].isin(kept)].groupby("method")["sparsity"].mean()
    agreement = frames["agreement"]
    compared = agreement[agreement["task"].isin(kept) & (agreement["unit"] != "mlps")]
    jaccard = compared.groupby("method")["jaccard"].mean()
    found: dict[str, Any] = {
        "full": _number(sound.get(("full", "full", "finetuned"))),
        "majority": _number(sound.get(("full", "majority", "finetuned"))),
    }
    for method in METHODS:
        found[method] = {
            state: {kind: _number(sound.get((method, kind, state))) for kind in CONTROLLED}
            for state in ("pruned", "retrained")
        } | {
            "share_of_full": _number(share.get((method, "good", "pruned"))),
            "sparsity": _number(sparsity.get(method)),
            "jaccard": _number(jaccard.get(method)),
        }
    return found


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 6)


def _ratio(part: "pd.Series[float]", whole: Any) -> "pd.Series[float]":
    """`part / whole`, NaN where the whole is 0 or less: a share of nothing is nothing."""
    ratio: pd.Series[float] = part / whole
    return ratio.where(pd.Series(whole, index=part.index) > 0)
