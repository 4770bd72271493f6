"""The quantities that claims are about, measured in every cell: a row per task and seed, a column per quantity.

Columns: `full` and `majority`, the reported metric on dev; `<method> <kind> <state>`, that of a ticket;
`<unit> across seeds` and `<unit> across tasks`, Cohen's kappa of the cell's good ticket with those of the task's other
seeds, or of the seed's other tasks, as a jackknife pseudo-value; `unimportant heads`, the share of heads whose
importance is in the lowest third of the range; `heterogeneous all` and `heterogeneous super`, the share of
heterogeneous attention maps over all heads and over super-survivors.
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
class Quantities:
    """The quantities [cells, columns] of all but the degenerate cells, NaN if undefined; and the degenerate cells.

    A cell is degenerate if its full model has no score, or is not significantly better than the majority class. A
    ticket without a score (its predictions are constant, and the metric is a correlation) counts as a majority
    baseline.
    """

    values: pd.DataFrame
    degenerate: tuple[tuple[str, int], ...]


def measure_cells(
    cells: pd.DataFrame,
    tickets: Sequence[Ticket],
    importance: pd.DataFrame,
    attention: pd.DataFrame,
) -> Quantities:
    """Quantities of a run.

    They come from its scores (`score_tables.cells`), its good tickets, the importances in its unpruned models, and the
    attention of their heads (`head_patterns.heterogeneity`).
    """
    margin = [
        significance_margin(metric, examples)
        for metric, examples in zip(cells["metric"], cells["examples"], strict=True)
    ]
    scores, degenerate = _sound_scores(cells.assign(margin=margin))
    sound_tickets = [ticket for ticket in tickets if (ticket.task, ticket.seed) in scores.index]
    kappas, unimportant = agreement_kappas(sound_tickets), unimportant_share(importance)
    return Quantities(scores.join(kappas).join(unimportant).join(attention), degenerate)


def measure_published(published: pd.DataFrame, tickets: Sequence[Ticket]) -> Quantities:
    """Quantities that the authors published: scores per task, which are means over seeds, and masks per cell."""
    # The scores of a task get a row of their own, with the seed -1.
    cells = published.assign(seed=-1, value=published["mean"], reported=True, margin=0.0)
    scores, degenerate = _sound_scores(cells)
    sound_tasks = set(scores.index.get_level_values("task"))
    names = {task.title: name for name, task in TASKS.items()}
    renamed = [replace(ticket, task=names[ticket.task]) for ticket in tickets]
    kappas = agreement_kappas([ticket for ticket in renamed if ticket.task in sound_tasks])
    return Quantities(pd.concat([scores, kappas]), degenerate)


def _sound_scores(cells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[tuple[str, int], ...]]:
    """Reported scores [cells, columns] of the cells that are not degenerate, and the degenerate cells."""
    reported = cells[cells["reported"]]
    column = (reported["method"] + " " + reported["kind"] + " " + reported["state"]).replace(
        {"full full finetuned": "full", "full majority finetuned": "majority"}
    )
    baseline = reported[reported["kind"] == "majority"].set_index(CELL)["value"].rename("baseline")
    substitute = reported.join(baseline, on=CELL)["baseline"].where(reported["kind"] != "full")
    value = reported["value"].fillna(substitute)
    scores = reported.assign(column=column, value=value).pivot(
        index=CELL, columns="column", values="value"
    )
    margin = reported.drop_duplicates(CELL).set_index(CELL)["margin"].reindex(scores.index)
    sound = scores["full"] - scores["majority"] > margin
    return scores[sound], tuple(scores.index[~sound])


def agreement_kappas(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Cohen's kappa between good tickets of one task over seeds, and of one seed over tasks, by cell.

    A pair belongs to two cells, so the mean kappas of cells are not independent replications. Each cell gets its
    jackknife pseudo-value of the mean over pairs instead: they have the same mean, and a spread that a test may use.
    Groups of fewer than three tickets have none; all of a group are NaN if one of its pairs has no kappa.
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
    frame = pd.DataFrame(rows, columns=[*CELL, "column", "kappa"])
    return frame.pivot(index=CELL, columns="column", values="kappa")


def _kappa_matrices(tickets: Sequence[Ticket]) -> dict[str, NDArray[np.float64]]:
    """Cohen's kappa of every two tickets [S, S], by unit, with 0 on the diagonal."""
    size = len(tickets)
    kappas_SS = {unit: np.zeros((size, size)) for unit in by_unit(tickets[0])}
    for a, b in combinations(range(size), 2):
        for overlap in overlaps(tickets[a], tickets[b]):
            kappas_SS[overlap.unit][a, b] = kappas_SS[overlap.unit][b, a] = overlap.kappa
    return kappas_SS


def pseudo_values(pairs_SS: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jackknife pseudo-values [S] of the mean over pairs, S > 2 (Arvesen 1969).

    `pairs_SS` is symmetric with 0 on its diagonal. The mean of the pseudo-values is the mean over pairs.
    """
    count, total = len(pairs_SS), pairs_SS.sum()
    without_S = (total - 2 * pairs_SS.sum(axis=1)) / ((count - 1) * (count - 2))
    values: NDArray[np.float64] = total / (count - 1) - (count - 1) * without_S
    return values


def unimportant_share(importance: pd.DataFrame) -> pd.DataFrame:
    """Share of each cell's heads in the lowest third of the range of their importance; NaN if all are equal."""
    heads = importance[importance["unit"] == "heads"]
    shares = heads.groupby(CELL)["importance"].agg(_share_in_lowest_third)
    return shares.rename("unimportant heads").to_frame()


def _share_in_lowest_third(values: "pd.Series[float]") -> float:
    low, high = values.min(), values.max()
    return float((values <= low + (high - low) / 3).mean()) if high > low else float("nan")
