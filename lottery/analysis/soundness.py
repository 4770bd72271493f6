"""Sound cells, and usable tickets within them: the only basis of conclusions. Reasons are codes; the report words them.

A cell is sound if its full model is clear of the guess on select, which drives the searches, and on dev. A ticket is
usable if it keeps between 5 and 95 % of the weights, and its search had something to keep.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from lottery.analysis.columns import CELL, SEARCH
from lottery.analysis.scale import corrected
from lottery.metrics import CORRELATIONS, significance_margin
from lottery.tasks import get_task
from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS

FEWEST, MOST = 0.05, 0.95
"""Shares of the prunable weights between which a ticket is neither empty nor the full model."""


def sound_cells(scores: pd.DataFrame) -> pd.DataFrame:
    """`sound` and `reason` of every cell, indexed by task and seed.

    Reasons: full-near-guess-select, full-near-guess-dev: the full model has no score there, or is not significantly
    better than the guess by the task's first metric.
    """
    main = scores["task"].map(lambda task: get_task(task).metrics[0])
    judged = (scores["metric"] == main) & scores["split"].isin(["select", "dev"])
    full = corrected(scores[judged]).query("kind == 'full'").copy()
    margins = [
        significance_margin(metric, examples)
        for metric, examples in zip(full["metric"], full["n"], strict=True)
    ]
    full["near"] = ~(full["full"] - full["guess"] > margins)
    reasons = {
        cell: _codes(
            {
                f"full-near-guess-{row.split}": bool(row.near)
                for row in of_cell.sort_values("split").itertuples()
            }
        )
        for cell, of_cell in full.groupby(CELL, sort=False)
    }
    index = pd.MultiIndex.from_tuples(list(reasons), names=CELL)
    frame = pd.DataFrame({"reason": list(reasons.values())}, index)
    return frame.assign(sound=frame["reason"] == "")[["sound", "reason"]]


def searches(steps: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row per search: sparsity and score of its good ticket, whether it was censored, and whether it is usable.

    `guess` is the score of the majority class on the data that drive the search. `censored`: the search ended, by a
    limit or because nothing was left, while it still accepted its last step, so the ticket might have been smaller.
    Reasons: vacuous (a guess would have been accepted), kept-nothing, kept-everything.
    """
    guesses = _guesses(scores)
    rows = []
    for key, of_search in steps.groupby(SEARCH, sort=False):
        task, seed, _ = key
        ordered = of_search.sort_values("step")
        kept = ordered[ordered["accepted"] | (ordered["step"] == 0)].iloc[-1]
        guess = guesses.get((str(task), int(str(seed))), 0.0)
        vacuous = get_task(str(task)).search not in CORRELATIONS and kept["threshold"] <= guess
        sparsity = float(kept["sparsity"])
        codes = {"vacuous": bool(vacuous)} | _size_codes(sparsity)
        rows.append(
            {
                **dict(zip(SEARCH, key, strict=True)),
                "sparsity": sparsity,
                "steps": len(ordered) - 1,
                "full_score": float(kept["full_score"]),
                "threshold": float(kept["threshold"]),
                "guess": guess,
                "score": float(kept["score"]),
                "censored": bool(ordered["accepted"].iloc[-1] and len(ordered) > 1),
                "reason": _codes(codes),
            }
        )
    frame = pd.DataFrame(rows)
    return frame.assign(usable=frame["reason"] == "")


def _guesses(scores: pd.DataFrame) -> Mapping[tuple[str, int], float]:
    """Score of the majority class on select, by the metric of the search; correlations are not looked up."""
    search = scores["task"].map(lambda task: get_task(task).search)
    majority = scores[
        (scores["kind"] == "majority")
        & (scores["split"] == "select")
        & (scores["metric"] == search)
    ]
    cells = zip(majority["task"], majority["seed"], majority["value"], strict=True)
    return {(str(task), int(seed)): float(value) for task, seed, value in cells}


def _size_codes(sparsity: float) -> dict[str, bool]:
    return {"kept-nothing": 1 - sparsity < FEWEST, "kept-everything": 1 - sparsity > MOST}


def _codes(codes: Mapping[str, bool]) -> str:
    return "; ".join(code for code, holds in codes.items() if holds)


def judged(
    frame: pd.DataFrame, sound: pd.DataFrame, searches: pd.DataFrame, supers: Mapping[str, float]
) -> pd.DataFrame:
    """Cells or draws with the columns sound, usable and reason.

    frame: rows with task, seed, method, kind and matched. supers: by task, the sparsity of the super-survivors. A
    ticket at a matched sparsity has that size, whatever its search did; every other one has the size of its search's
    good ticket.
    """
    by_cell = frame[CELL].join(sound, on=CELL)
    by_search = frame[SEARCH].join(searches.set_index(SEARCH)["reason"].rename("search"), on=SEARCH)
    search = by_search["search"].fillna("").where(frame["matched"].isna(), "")
    is_super = frame["kind"].str.startswith("super")
    of_supers = frame["task"].map(
        {task: _codes(_size_codes(sparsity)) for task, sparsity in supers.items()}
    )
    reason = search.where(~is_super, of_supers.fillna(""))
    reason = (by_cell["reason"].fillna("no-baseline") + "; " + reason).str.strip("; ")
    is_sound = by_cell["sound"].eq(True)
    return frame.assign(sound=is_sound, usable=reason == "", reason=reason)


def super_sparsity(tickets: Sequence[Ticket]) -> dict[str, float]:
    """By task, about which share of the weights its super-survivors lack, those that every seed's s-ticket keeps.

    As in BERT, an MLP has twice the weights of all heads of its layer.
    """
    sparsity = {}
    structured = [ticket for ticket in tickets if METHODS[ticket.method].super_survivors]
    for task in dict.fromkeys(ticket.task for ticket in structured):
        subnetworks = [ticket.subnetwork for ticket in structured if ticket.task == task]
        common = subnetworks[0]
        for subnetwork in subnetworks[1:]:
            common &= subnetwork
        of_mlps = "neurons" if "neurons" in common else "mlps"
        heads, mlps = (float(common[unit].mean()) for unit in ("heads", of_mlps))
        sparsity[task] = 1 - (heads + 2 * mlps) / 3
    return sparsity


def usable_tickets(
    tickets: Sequence[Ticket], sound: pd.DataFrame, searches: pd.DataFrame
) -> list[Ticket]:
    """Tickets of sound cells: those at a matched sparsity, and those of usable searches."""
    cells = {cell for cell, is_sound in sound["sound"].items() if is_sound}
    usable = {
        tuple(search)
        for search in searches.loc[searches["usable"], SEARCH].itertuples(index=False, name=None)
    }
    return [
        ticket
        for ticket in tickets
        if (ticket.task, ticket.seed) in cells
        and (ticket.key.matched is not None or (ticket.task, ticket.seed, ticket.method) in usable)
    ]
