"""All tables of the report, computed from the records of all cells."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import pandas as pd

from lottery import records
from lottery.analysis import (
    head_patterns,
    published_scores,
    quantities,
    score_tables,
    stability,
    survival,
    verdicts,
)
from lottery.analysis.claims import FAMILIES
from lottery.attention.descriptors import HeadProfile
from lottery.attention.patterns import PatternAccuracy
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.schemas import ImportanceRecord, Score, StepRecord
from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS, STRUCTURED


@dataclass(frozen=True)
class Records:
    """The records of all cells: scores, search steps, importances of s-pruning, and the good tickets of every method.

    profiles: attention profiles of heads. pattern_accuracy: confusion matrix of the pattern classifier and its rule.
    """

    scores: pd.DataFrame
    steps: pd.DataFrame
    importance: pd.DataFrame
    good: Sequence[Ticket]
    profiles: pd.DataFrame
    pattern_accuracy: pd.DataFrame

    @property
    def heads(self) -> int:
        """Number of heads per layer."""
        ticket = next(ticket for ticket in self.good if ticket.method == STRUCTURED.name)
        return ticket.subnetwork.shapes["heads"][1]


@dataclass(frozen=True)
class Published:
    """The authors' results: scores averaged over their seeds, and the masks of their good tickets."""

    scores: pd.DataFrame
    tickets: Sequence[Ticket]


def gather(
    grid: GridParameters, scores: Path, subnetworks: Path, attention: Path, patterns: Path
) -> Records:
    """Read the records of every cell of the grid.

    Raises UserError if a file is missing or belongs to another cell.
    """

    def frame(kind: type[msgspec.Struct], folder: Path, *names: str) -> pd.DataFrame:
        table: pd.DataFrame = records.read_cells(kind, grid.cells, folder, *names).to_pandas()
        return table

    importance = frame(ImportanceRecord, subnetworks, "importance.parquet")
    return Records(
        scores=frame(Score, scores, *grid.score_files),
        steps=frame(StepRecord, subnetworks, "trajectory.parquet"),
        importance=importance[importance["method"] == STRUCTURED.name],
        good=[ticket for cell in grid.cells for ticket in _good_tickets(subnetworks, *cell)],
        profiles=_profiles(attention, grid.tasks),
        pattern_accuracy=records.read(PatternAccuracy, [patterns / "told.parquet"]).to_pandas(),
    )


def _good_tickets(folder: Path, task: str, seed: int) -> list[Ticket]:
    """The good ticket of every method for a task and seed."""
    cell = folder / task / str(seed)
    return [Ticket.load(cell, task, seed, method.good) for method in METHODS.values()]


def _profiles(folder: Path, tasks: Sequence[str]) -> pd.DataFrame:
    """Attention profiles of all tasks. Raises UserError if a file belongs to another task."""
    by_task = []
    for task in tasks:
        path = folder / task / "heads.parquet"
        profiles: pd.DataFrame = records.read(HeadProfile, [path]).to_pandas()
        if set(profiles["task"]) != {task}:
            raise UserError(
                f"{path}: belongs to another task; delete it and run the pipeline again"
            )
        by_task.append(profiles)
    return pd.concat(by_task, ignore_index=True)


def analyse(run: Records, published: Published, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """All tables by name."""
    cells, curves = score_tables.cells(run.scores, tasks), score_tables.curves(run.steps)
    sizes = survival.sizes(run.good, curves)
    overview = score_tables.overview(cells, sizes, tasks)
    heterogeneity = head_patterns.heterogeneity(run.profiles, run.good)
    measured = quantities.measure_cells(cells, run.good, run.importance, heterogeneity)
    of_authors = quantities.measure_published(published.scores, published.tickets)
    return {
        "tasks": overview,
        **{
            family: pd.DataFrame(map(asdict, verdicts.decide(measured, of_authors, claims)))
            for family, claims in FAMILIES.items()
            if claims
        },
        "cells": cells,
        "results": score_tables.results(cells),
        "averages": score_tables.averages(cells, overview),
        "published": published_scores.averages(published.scores),
        "selection": score_tables.selection(cells),
        "sizes": sizes,
        "survivors": survival.survivors(sizes, tasks),
        "curves": curves,
        "survival": survival.survival(run.good, run.heads),
        "agreement": survival.agreement(run.good, tasks),
        "stability": stability.stability(run.good),
        "importance": stability.importance_quantiles(run.importance),
        "importance-agreement": stability.importance_agreement(run.importance),
        "overlap": survival.overlap(run.good, tasks),
        "patterns": run.pattern_accuracy,
        "attention": head_patterns.shares(run.profiles, run.good),
        "attention-survival": head_patterns.correlation(run.profiles, run.good),
    }
