"""All subnetworks of a cell against each other and the full model: every score of the cell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lottery import subnetwork
from lottery.model.evaluation import majority_scores
from lottery.runtime import parallel
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import Kind, Method, Score, State
from lottery.subnetwork import Kept, Subnetwork
from lottery.tickets import controls
from lottery.tickets.retraining import Cell, Splits, SplitScores, score_pruned, score_retrained


@dataclass(frozen=True)
class Entrant:
    """A subnetwork and who it is; the full model where there is none."""

    method: Method
    kind: Kind
    draw: int
    subnetwork: Subnetwork | None

    def __str__(self) -> str:
        return f"{self.method} {self.kind}" + (f" {self.draw}" if self.kind == "random" else "")


FULL = Entrant("full", "full", 0, None)


def entrants(folder: Path, draws: int) -> list[Entrant]:
    """The subnetworks in the folder of a cell; the costly ones first, so that processes end together."""
    names = ("good", *(f"random-{draw}" for draw in range(draws)), "bad")
    return [
        Entrant(identity["method"], identity["kind"], identity["draw"], found)
        for method in ("magnitude", "structured")
        for name in names
        for found, identity in [subnetwork.load(folder / method / f"{name}.safetensors")]
    ]


def super_entrants(good: Sequence[Subnetwork], stream: np.random.Generator) -> list[Entrant]:
    """What every seed keeps, and as much of what none and of what only some keep (paper, section 5)."""
    shapes = good[0].shapes
    kept = {part: [each[part].ravel() for each in good] for part in shapes}
    makers: dict[Kind, Callable[[Sequence[Kept]], Kept]] = {
        "super": controls.super_survivors,
        "super-random": partial(controls.super_random, rng=stream),
        "super-bad": partial(controls.super_bad, rng=stream),
    }
    return [
        Entrant(
            "structured",
            kind,
            0,
            Subnetwork({part: make(kept[part]).reshape(shapes[part]) for part in shapes}),
        )
        for kind, make in makers.items()
    ]


def score_tickets(
    cell: Cell,
    model: Path,
    competing: Sequence[Entrant],
    splits: Splits,
    select: Splits,
    report: parallel.Report,
    journal: Journal = NO_JOURNAL,
) -> list[Score]:
    """Scores of every entrant, as cut from the fine-tuned model and retrained.

    `splits` are reported on; on `select`, which drove the searches, the full model and the good subnetworks
    are scored too, for the gap between the two. What is in `journal` is not done again.
    """
    jobs: dict[str, parallel.Job[Any]] = {
        str(entrant): partial(
            score_retrained,
            cell=cell,
            subnetwork=entrant.subnetwork,
            splits=splits,
            journal=journal.of(str(entrant)),
        )
        for entrant in competing
        if entrant is not FULL
    }
    everyone = {str(entrant): entrant.subnetwork for entrant in competing}
    chosen = {str(e): e.subnetwork for e in competing if e.kind in ("full", "good")}
    cut = partial(score_pruned, cell=cell, model=model)
    for name, who, on in (("as cut", everyone, splits), ("as selected", chosen, select)):
        if who and on:
            jobs[name] = partial(cut, subnetworks=who, splits=on, journal=journal.of(name))
    found = parallel.run(jobs, cell.compute, report, preload=[__name__])
    rows = partial(_rows, cell, sizes={n: len(e) for n, e in {**splits, **select}.items()})
    scores: list[Score] = []
    for entrant in competing:
        state: State = "finetuned" if entrant is FULL else "pruned"
        seen = found["as cut"][str(entrant)] | found.get("as selected", {}).get(str(entrant), {})
        scores += rows(entrant, state, seen)
        scores += rows(entrant, "retrained", found.get(str(entrant), {}))
    return scores


def majority_baseline(cell: Cell, splits: Splits) -> list[Score]:
    """Scores of always guessing the most frequent class."""
    guess = Entrant("full", "majority", 0, None)
    found = {name: majority_scores(cell.task, split) for name, split in splits.items()}
    return [*_rows(cell, guess, "finetuned", found, {n: len(e) for n, e in splits.items()})]


def _rows(
    cell: Cell, entrant: Entrant, state: State, found: SplitScores, sizes: Mapping[str, int]
) -> Iterator[Score]:
    for split, metrics in found.items():
        for metric, value in metrics.items():
            yield Score(
                task=cell.task.name,
                seed=cell.seed,
                method=entrant.method,
                kind=entrant.kind,
                draw=entrant.draw,
                state=state,
                split=split,
                metric=metric,
                value=value,
                n=sizes[split],
            )
