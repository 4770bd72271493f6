"""What each cell has to say about the claims: a row per task and seed, a column per quantity.

Columns: `full` and `majority`, the reported metric on dev; `<method> <kind> <state>`, that of a subnetwork;
`<unit> across seeds` and `across tasks`, Cohen's kappa of the good subnetworks of the same task or seed, as the
cell's pseudo-value; `unimportant heads`, the share of heads in the lowest third of the range of importances;
`heterogeneous all` and `heterogeneous super`, the share of heterogeneous maps of all heads and of super-survivors.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.claims import PAPER_METHODS
from lottery.analysis.overlap import by_unit, overlaps
from lottery.metrics import significance_margin
from lottery.tasks import TASKS
from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS

CELL = ["task", "seed"]


@dataclass(frozen=True)
class Observed:
    """The quantities [cells, columns] of the sound cells, NaN where one has none; and the degenerate cells.

    Degenerate is a cell whose full model has no score, or none clearly above the majority class. A subnetwork whose
    score is undefined, as the correlation of a constant is, counts as a blind guess.
    """

    values: pd.DataFrame
    degenerate: tuple[tuple[str, int], ...]


def observe(
    cells: pd.DataFrame,
    tickets: Sequence[Ticket],
    importance: pd.DataFrame,
    attention: pd.DataFrame,
) -> Observed:
    """From the scores (`tables.cells`), the good subnetworks, the importances of the unpruned models, and the
    attention of their heads (`meaning.contrast`)."""
    margin = [
        significance_margin(*each) for each in zip(cells["metric"], cells["examples"], strict=True)
    ]
    scores, degenerate = _sound(cells.assign(margin=margin))
    sound = [ticket for ticket in tickets if (ticket.task, ticket.seed) in scores.index]
    values = scores.join(likeness(sound)).join(unimportant(importance)).join(attention)
    return Observed(values, degenerate)


def published(results: pd.DataFrame, tickets: Sequence[Ticket]) -> Observed:
    """The authors' figures: scores per task, which are means over their seeds, and masks per task and seed."""
    means = results.assign(seed=-1, value=results["mean"], reported=True, margin=0.0)
    scores, degenerate = _sound(means)
    sound = set(scores.index.get_level_values("task"))
    names = {task.title: name for name, task in TASKS.items()}
    renamed = [replace(ticket, task=names[ticket.task]) for ticket in tickets]
    kappas = likeness([ticket for ticket in renamed if ticket.task in sound])
    return Observed(pd.concat([scores, kappas]), degenerate)


def _sound(cells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[tuple[str, int], ...]]:
    own = cells[cells["reported"]]
    name = (own["method"] + " " + own["kind"] + " " + own["state"]).replace(
        {"full full finetuned": "full", "full majority finetuned": "majority"}
    )
    blind = own[own["kind"] == "majority"].set_index(CELL)["value"].rename("blind")
    guessed = own.join(blind, on=CELL)["blind"].where(own["kind"] != "full")
    value = own["value"].fillna(guessed)
    scores = own.assign(name=name, value=value).pivot(index=CELL, columns="name", values="value")
    margin = own.drop_duplicates(CELL).set_index(CELL)["margin"].reindex(scores.index)
    sound = scores["full"] - scores["majority"] > margin
    return scores[sound], tuple(scores.index[~sound])


def likeness(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Cohen's kappa of the good subnetworks of one task over seeds, and of one seed over tasks, by cell.

    A pair belongs to two cells, so the mean kappas of cells are no replications of each other. Each cell gets
    its jackknife pseudo-value of the mean over pairs instead: the same mean, and a spread that a test may use.
    Groups of fewer than three have none; NaN where a pair of the group has no kappa.
    """
    groups: defaultdict[tuple[str, str | int, str], list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        if METHODS[ticket.method] in PAPER_METHODS:
            groups["seeds", ticket.task, ticket.method].append(ticket)
            groups["tasks", ticket.seed, ticket.method].append(ticket)
    rows = [
        (ticket.task, ticket.seed, f"{unit} across {others}", value)
        for (others, _, _), group in groups.items()
        if len(group) > 2
        for unit, kappa_SS in _kappa_matrices(group).items()
        for ticket, value in zip(group, pseudo_values(kappa_SS), strict=True)
    ]
    frame = pd.DataFrame(rows, columns=[*CELL, "name", "kappa"])
    return frame.pivot(index=CELL, columns="name", values="kappa")


def _kappa_matrices(tickets: Sequence[Ticket]) -> dict[str, NDArray[np.float64]]:
    """Kappa of every two tickets [S, S], unit by unit, 0 on the diagonal."""
    size = len(tickets)
    kappas_SS = {unit: np.zeros((size, size)) for unit in by_unit(tickets[0])}
    for a, b in combinations(range(size), 2):
        for overlap in overlaps(tickets[a], tickets[b]):
            kappas_SS[overlap.unit][a, b] = kappas_SS[overlap.unit][b, a] = overlap.kappa
    return kappas_SS


def pseudo_values(pairs_SS: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jackknife pseudo-values [S] of the mean over pairs, S > 2; their mean is that mean (Arvesen 1969)."""
    count, total = len(pairs_SS), pairs_SS.sum()
    without_S = (total - 2 * pairs_SS.sum(axis=1)) / ((count - 1) * (count - 2))
    values: NDArray[np.float64] = total / (count - 1) - (count - 1) * without_S
    return values


def unimportant(importance: pd.DataFrame) -> pd.DataFrame:
    """Share of each cell's heads in the lowest third between its least and its most important head."""
    heads = importance[importance["unit"] == "heads"]
    shares = heads.groupby(CELL)["importance"].agg(_lowest_third)
    return shares.rename("unimportant heads").to_frame()


def _lowest_third(values: "pd.Series[float]") -> float:
    low, high = values.min(), values.max()
    return float((values <= low + (high - low) / 3).mean()) if high > low else float("nan")
