"""The quantities that claims are about, as evidence: those of a run, and those that the authors published.

Quantities of cells: `<method> <kind> <state>`, the corrected score on dev; `words`, that of a bag of words; `<unit>
across seeds` and `<unit> across tasks`, Cohen's kappa of good tickets of one task, or of one seed; `weights like
pre-trained`, that with the mask of the pre-trained weights; `unimportant heads`, the share of heads whose importance
is in the lowest third of its range; `slope <instrument>`: see `heads.slopes`. Names
of tickets at the matched size end in MATCHED.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lottery.analysis import heads, survival
from lottery.analysis.claims import PAPER_METHODS
from lottery.analysis.columns import CELL
from lottery.analysis.evidence import MATCHED, Evidence
from lottery.analysis.frames import beside, stacked
from lottery.analysis.kappas import across_seeds, across_tasks, like_pretrained
from lottery.analysis.published_scores import above_majority
from lottery.tasks import TASKS
from lottery.ticket import Ticket
from lottery.tickets.methods import MAGNITUDE
from lottery.vocabulary import TICKET_STATE

PUBLISHED_SEEDS = 5


@dataclass(frozen=True)
class Measured:
    """The measurements of a run: scores by cell and draw, tickets, importances, attention, heads of a layer.

    The scores have the column usable; the tickets are those of usable searches, good ones and, at matched
    sparsities, those of the pre-trained weights.
    """

    cells: pd.DataFrame
    draws: pd.DataFrame
    tickets: Sequence[Ticket]
    importance: pd.DataFrame
    profiles: pd.DataFrame
    heads: int


def of_run(run: Measured, matched: float | None) -> Evidence:
    """The evidence of a run; `matched` is the sparsity at which its tickets are compared, None if there is none."""
    papers = {method.name for method in PAPER_METHODS}
    tickets = [ticket for ticket in run.tickets if ticket.method in papers]
    searched = [ticket for ticket in tickets if ticket.key.matched is None]
    at_matched = [ticket for ticket in tickets if ticket.key.matched == matched is not None]
    matched_good = [ticket for ticket in at_matched if ticket.kind == "good"]
    by_head = heads.measure(run.profiles, searched)
    sound = run.cells.loc[run.cells["sound"], CELL].drop_duplicates()
    quantities = [
        _scores(run.cells, matched),
        across_seeds(searched),
        across_tasks(searched),
        across_seeds(matched_good).add_suffix(MATCHED),
        across_tasks(matched_good).add_suffix(MATCHED),
        like_pretrained(at_matched).add_suffix(MATCHED),
        unimportant_share(run.importance.merge(sound, on=CELL)),
        heads.slopes(by_head),
    ]
    return Evidence(
        cells=beside(quantities),
        summaries=stacked(
            [
                heads.unstable(searched),
                heads.super_survivors(by_head),
                survival_std(matched_good, run.heads),
            ]
        ),
        draws=run.draws[run.draws["usable"] & run.draws["matched"].isna()],
        seeds=int(sound.groupby("task").size().max()) if len(sound) else 0,
    )


def _scores(cells: pd.DataFrame, matched: float | None) -> pd.DataFrame:
    """Corrected scores [cells, columns] of usable tickets, of the size of their search and of the matched one."""
    usable = cells[cells["reported"] & cells["usable"] & _sized(cells, matched)]
    ticket = usable["method"] + " " + usable["kind"] + " " + usable["state"]
    column = ticket.where(usable["matched"].isna(), ticket + MATCHED)
    named = column.replace({"full words finetuned": "words"})
    return usable.assign(column=named).pivot(index=CELL, columns="column", values="share")


def _sized(frame: pd.DataFrame, matched: float | None) -> "pd.Series[bool]":
    return frame["matched"].isna() | (frame["matched"] == matched)


def survival_std(tickets: Sequence[Ticket], heads_of_layer: int) -> pd.DataFrame:
    """`survival std` of every task, whose replicates are heads: std over seeds of the share of weights that survive."""
    shares = {
        (ticket.task, ticket.seed): survival.component_shares(ticket, heads_of_layer)[
            "heads"
        ].ravel()
        for ticket in tickets
        if ticket.method == MAGNITUDE.name
    }
    rows = []
    for task in dict.fromkeys(task for task, _ in shares):
        of_task = [values for (name, _), values in shares.items() if name == task]
        if len(of_task) > 1:
            std = np.std(of_task, axis=0, ddof=1)
            rows.append((task, "survival std", std.mean(), std.var(ddof=1), len(std)))
    return pd.DataFrame(rows, columns=heads.SUMMARY)


def unimportant_share(importance: pd.DataFrame) -> pd.DataFrame:
    """Share of each cell's heads in the lowest third of the range of their importance; NaN if all are equal."""
    of_heads = importance[importance["unit"] == "heads"]
    shares = of_heads.groupby(CELL)["importance"].agg(_share_in_lowest_third)
    return shares.rename("unimportant heads").to_frame()


def _share_in_lowest_third(values: "pd.Series[float]") -> float:
    low, high = values.min(), values.max()
    return float((values <= low + (high - low) / 3).mean()) if high > low else float("nan")


def of_publication(scores: pd.DataFrame, tickets: Sequence[Ticket]) -> Evidence:
    """The evidence that the authors published: means and standard deviations over five seeds, and s-pruned masks.

    Scores are corrected by the mean full model of the task. Tasks whose full model does not beat the majority class
    are left out.
    """
    sound = above_majority(scores)
    full = sound[sound["method"] == "full"].pivot(index="task", columns="kind", values="mean")
    tickets_scores = sound[sound["method"] != "full"].join(full, on="task")
    room = tickets_scores["full"] - tickets_scores["majority"]
    summaries = pd.DataFrame(
        {
            "task": tickets_scores["task"],
            "quantity": tickets_scores[TICKET_STATE].agg(" ".join, axis=1),
            "mean": (tickets_scores["mean"] - tickets_scores["majority"]) / room,
            "variance": (tickets_scores["std"] / room) ** 2,
            "n": PUBLISHED_SEEDS,
        }
    )
    names = {task.title: name for name, task in TASKS.items()}
    renamed = [replace(ticket, task=names[ticket.task]) for ticket in tickets]
    in_sound = [ticket for ticket in renamed if ticket.task in full.index]
    return Evidence(
        cells=beside([across_seeds(in_sound), across_tasks(in_sound)]),
        summaries=stacked([summaries, heads.unstable(in_sound)]),
        seeds=PUBLISHED_SEEDS,
    )
