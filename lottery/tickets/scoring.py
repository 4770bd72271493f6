"""Score every ticket of one task and seed, pruned and retrained, next to the full model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lottery.model.evaluation import majority_scores
from lottery.runtime import parallel
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import Score
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Key, Ticket
from lottery.tickets import controls
from lottery.tickets.retraining import Cell, Splits, SplitScores, score_pruned, score_retrained
from lottery.vocabulary import WHOLE, Kind, State


def super_tickets(good: Sequence[Ticket], seed: int, rng: np.random.Generator) -> list[Ticket]:
    """Tickets of what survives with every seed (paper, section 5), as candidates for the model of `seed`.

    `good` are one method's good tickets of a task, all seeds. The controls are as large: `super-bad` from what
    survives with no seed, `super-random` from what survives with some.
    """
    task, method, shapes = good[0].task, good[0].method, good[0].subnetwork.shapes
    kept = {part: [ticket.subnetwork[part].ravel() for ticket in good] for part in shapes}
    draws: dict[Kind, Callable[[Sequence[Kept]], Kept]] = {
        "super": controls.super_survivors,
        "super-random": partial(controls.super_random, rng=rng),
        "super-bad": partial(controls.super_bad, rng=rng),
    }
    return [
        Ticket(
            task,
            seed,
            method,
            kind,
            0,
            Subnetwork({part: draw(kept[part]).reshape(shapes[part]) for part in shapes}),
        )
        for kind, draw in draws.items()
    ]


def score_tickets(
    cell: Cell,
    model: Path,
    tickets: Sequence[Ticket],
    splits: Splits,
    select: Splits,
    report: parallel.Report,
    journal: Journal = NO_JOURNAL,
) -> list[Score]:
    """Scores of every ticket, pruned from the fine-tuned model and retrained; the full model is not retrained.

    `splits` are reported on; on `select`, which drove the searches, the full model and the good tickets are scored
    too, for the gap between the two. What `journal` holds is not computed again.
    """
    jobs: dict[str, parallel.Job[Any]] = {
        ticket.name: partial(
            score_retrained,
            cell=cell,
            subnetwork=ticket.subnetwork,
            splits=splits,
            journal=journal.of(ticket.name),
        )
        for ticket in tickets
        if not ticket.is_whole
    }
    searched = [ticket for ticket in tickets if ticket.kind in ("full", "good")]
    for job, scored, on in (("pruned", tickets, splits), ("select", searched, select)):
        if scored and on:
            jobs[job] = partial(
                score_pruned,
                cell=cell,
                model=model,
                tickets=scored,
                splits=on,
                journal=journal.of(job),
            )
    results = parallel.run(jobs, cell.compute, report, preload=[__name__])
    sizes = {name: len(examples) for name, examples in {**splits, **select}.items()}
    rows: list[Score] = []
    for ticket in tickets:
        state: State = "finetuned" if ticket.is_whole else "pruned"
        pruned = results["pruned"][ticket.name] | results.get("select", {}).get(ticket.name, {})
        rows += _rows(cell, ticket.key, state, pruned, sizes)
        rows += _rows(cell, ticket.key, "retrained", results.get(ticket.name, {}), sizes)
    return rows


def majority_baseline(cell: Cell, splits: Splits) -> list[Score]:
    """Scores of always predicting the most frequent class."""
    scores = {name: majority_scores(cell.task, examples) for name, examples in splits.items()}
    sizes = {name: len(examples) for name, examples in splits.items()}
    return [*_rows(cell, (WHOLE, "majority", 0), "finetuned", scores, sizes)]


def _rows(
    cell: Cell, key: Key, state: State, scores: SplitScores, sizes: Mapping[str, int]
) -> Iterator[Score]:
    method, kind, draw = key
    for split, metrics in scores.items():
        for metric, value in metrics.items():
            yield Score(
                task=cell.task.name,
                seed=cell.seed,
                method=method,
                kind=kind,
                draw=draw,
                state=state,
                split=split,
                metric=metric,
                value=value,
                n=sizes[split],
            )
