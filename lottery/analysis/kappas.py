"""Cohen's kappa between tickets, by cell: across seeds, across tasks, and with the mask of the pre-trained weights."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL
from lottery.analysis.overlap import by_unit, overlaps
from lottery.ticket import Ticket

ALL_TASKS = "all tasks"
"""The task of a quantity that a seed has over all its tasks."""
Array = NDArray[np.float64]


def across_seeds(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """`<unit> across seeds` of every cell: its jackknife pseudo-value of the mean kappa over pairs of seeds.

    A pair belongs to two cells, so the mean kappas of cells are not independent replications. Pseudo-values have the
    same mean, and a spread that a test may use. Tasks of fewer than three tickets have none; all of a task are NaN if
    one of its pairs has no kappa.
    """
    rows = [
        (ticket.task, ticket.seed, f"{unit} across seeds", value)
        for group in _groups(tickets, "task").values()
        if len(group) > 2
        for unit, kappa_SS in _kappa_matrices(group).items()
        for ticket, value in zip(group, pseudo_values(kappa_SS), strict=True)
    ]
    return _frame(rows)


def across_tasks(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """`<unit> across tasks` of every seed, with the task ALL_TASKS: the mean kappa over the pairs of its tasks."""
    rows = [
        (ALL_TASKS, group[0].seed, f"{unit} across tasks", float(_pairs(kappa_SS).mean()))
        for group in _groups(tickets, "seed").values()
        if len(group) > 1
        for unit, kappa_SS in _kappa_matrices(group).items()
    ]
    return _frame(rows)


def like_pretrained(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """`<unit> like pre-trained` of every cell: kappa of its good ticket and the pre-trained mask of that size."""
    masks = {
        (ticket.task, ticket.seed, ticket.method): ticket
        for ticket in tickets
        if ticket.kind == "pretrained"
    }
    rows = [
        (ticket.task, ticket.seed, f"{overlap.unit} like pre-trained", overlap.kappa)
        for ticket in tickets
        if ticket.kind == "good" and (ticket.task, ticket.seed, ticket.method) in masks
        for overlap in overlaps(ticket, masks[ticket.task, ticket.seed, ticket.method])
    ]
    return _frame(rows)


def _groups(tickets: Sequence[Ticket], by: str) -> dict[Hashable, list[Ticket]]:
    groups: defaultdict[Hashable, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        groups[getattr(ticket, by), ticket.method].append(ticket)
    return groups


def _frame(rows: Sequence[tuple[str, int, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*CELL, "quantity", "kappa"])
    return frame.pivot(index=CELL, columns="quantity", values="kappa")


def _kappa_matrices(tickets: Sequence[Ticket]) -> dict[str, Array]:
    """Cohen's kappa of every two tickets [S, S], by unit, with 0 on the diagonal."""
    size = len(tickets)
    kappas_SS = {unit: np.zeros((size, size)) for unit in by_unit(tickets[0])}
    for a, b in combinations(range(size), 2):
        for overlap in overlaps(tickets[a], tickets[b]):
            kappas_SS[overlap.unit][a, b] = kappas_SS[overlap.unit][b, a] = overlap.kappa
    return kappas_SS


def _pairs(kappa_SS: Array) -> Array:
    pairs: Array = kappa_SS[np.triu_indices(len(kappa_SS), 1)]
    return pairs


def pseudo_values(pairs_SS: Array) -> Array:
    """Jackknife pseudo-values [S] of the mean over pairs, S > 2 (Arvesen 1969).

    `pairs_SS` is symmetric with 0 on its diagonal. The mean of the pseudo-values is the mean over pairs.
    """
    count, total = len(pairs_SS), pairs_SS.sum()
    without_S = (total - 2 * pairs_SS.sum(axis=1)) / ((count - 1) * (count - 2))
    values: Array = total / (count - 1) - (count - 1) * without_S
    return values
