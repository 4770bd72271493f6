"""All tables of the report, computed from the records of all cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd

from lottery import records
from lottery.analysis import (
    averages,
    baselines,
    bootstrap,
    calibration,
    head_patterns,
    published_scores,
    quantities,
    score_tables,
    soundness,
    stability,
    survival,
    verdict_tables,
)
from lottery.analysis.claims import FAMILIES, PRIMARY, SECONDARY
from lottery.analysis.looks import ALPHA, level
from lottery.analysis.verdicts import ClaimDecision, decide
from lottery.attention.descriptors import HeadProfile
from lottery.attention.patterns import PatternAccuracy
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.schemas import ImportanceRecord, Prediction, Score, StepRecord
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, STRUCTURED


@dataclass(frozen=True)
class Records:
    """The records of all cells: scores, predictions on dev, search steps, importances of s-pruning, and tickets.

    tickets: good ones and, at matched sparsities, those of the pre-trained weights. profiles: attention profiles of
    heads. pattern_accuracy: confusion matrix of the pattern classifier and its rule.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    steps: pd.DataFrame
    importance: pd.DataFrame
    tickets: Sequence[Ticket]
    profiles: pd.DataFrame
    pattern_accuracy: pd.DataFrame

    @property
    def good(self) -> Sequence[Ticket]:
        """The good tickets of the size of their search."""
        return [ticket for ticket in self.tickets if ticket.key == METHODS[ticket.method].good]

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

    def decide(self) -> list[ClaimDecision]:
        """The paper's claims, decided by what the authors published."""
        evidence = quantities.of_publication(self.scores, self.tickets)
        tasks = evidence.summaries["task"].unique().tolist()
        families = {"primary": PRIMARY, "secondary": SECONDARY}
        return decide(families, evidence, tasks, ALPHA, of_means=True)


def gather(
    grid: GridParameters,
    matched: Sequence[float],
    scores: Path,
    predictions: Path,
    subnetworks: Path,
    attention: Path,
    patterns: Path,
) -> Records:
    """Read the records of every cell of the grid, with tickets at the matched sparsities.

    Raises UserError if a file is missing or belongs to another cell.
    """

    def frame(kind: type[msgspec.Struct], folder: Path, *names: str) -> pd.DataFrame:
        table: pd.DataFrame = records.read_cells(kind, grid.cells, folder, *names).to_pandas()
        return table

    predicted = frame(Prediction, predictions, *grid.score_files)
    importance = frame(ImportanceRecord, subnetworks, "importance.parquet")
    return Records(
        scores=frame(Score, scores, *grid.score_files),
        predictions=predicted[predicted["split"] == "dev"],
        steps=frame(StepRecord, subnetworks, "trajectory.parquet"),
        importance=importance[importance["method"] == STRUCTURED.name],
        tickets=[
            Ticket.load(subnetworks / task / str(seed), task, seed, key)
            for task, seed in grid.cells
            for key in analysed_keys(matched)
        ],
        profiles=_profiles(attention, grid.tasks),
        pattern_accuracy=records.read(PatternAccuracy, [patterns / "told.parquet"]).to_pandas(),
    )


def analysed_keys(matched: Sequence[float]) -> list[Key]:
    """Keys of a cell's tickets whose masks are analysed: good ones, and those of the pre-trained weights."""
    return [
        key
        for method in METHODS.values()
        for key in (
            method.good,
            *(Key(method.name, "good", matched=sparsity) for sparsity in matched),
            *(
                Key(method.name, "pretrained", matched=sparsity)
                for sparsity in matched
                if method.has_pretrained
            ),
        )
    ]


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


def analyse(
    run: Records,
    published: Published,
    grid: GridParameters,
    matched: Sequence[float] = (),
    looks: Sequence[int] = (),
) -> dict[str, pd.DataFrame]:
    """All tables by name.

    matched: the sparsities at which tickets are compared; claims are about the first. looks: numbers of seeds at which
    the claims are tested; by default once, now.
    """
    tasks = grid.tasks
    sound, searches = soundness.sound_cells(run.scores), soundness.searches(run.steps, run.scores)
    supers = soundness.super_sparsity(run.good)
    cells = soundness.judged(score_tables.cells(run.scores, tasks), sound, searches, supers)
    curves = score_tables.curves(run.steps, searches)
    draws = score_tables.draws(run.scores, searches, curves, tasks)
    draws = soundness.judged(draws, sound, searches, supers)
    sizes = survival.sizes(run.good, curves)
    tickets = soundness.usable_tickets(run.tickets, sound, searches)
    measured = quantities.Measured(cells, draws, tickets, run.importance, run.profiles, run.heads)
    return {
        "tasks": score_tables.overview(cells, sound, tasks),
        "searches": searches,
        **_verdicts(measured, published, grid, matched, looks),
        "cells": cells,
        "draws": draws,
        **_scores(cells, run.predictions, tasks),
        "published": published_scores.averages(published.scores),
        "sizes": sizes,
        "survivors": survival.survivors(sizes, tasks),
        "curves": curves,
        "survival": survival.survival(run.good, run.heads),
        "agreement": survival.agreement(tickets, tasks),
        "overlap": survival.overlap(tickets, tasks),
        "stability": stability.stability(tickets),
        "importance": stability.importance_quantiles(run.importance),
        "importance-agreement": stability.importance_agreement(run.importance),
        "importance-reliability": stability.importance_reliability(run.importance),
        "rankings": run.importance[["task", "seed", "unit", "layer", "index", "importance"]],
        "patterns": run.pattern_accuracy,
        **_attention(run.profiles, tickets),
    }


def _scores(
    cells: pd.DataFrame, predictions: pd.DataFrame, tasks: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Scores over seeds and over tasks, and how they vary."""
    resampled = bootstrap.resample(predictions, cells[cells["usable"] & cells["reported"]])
    return {
        "results": score_tables.results(cells),
        "averages": averages.averages(cells, tasks, resampled),
        "variance": bootstrap.spreads(resampled, cells, tasks),
        "baselines": baselines.baselines(cells, tasks),
        "ood": baselines.out_of_distribution(cells, tasks),
        "selection": score_tables.selection(cells),
    }


def _verdicts(
    measured: quantities.Measured,
    published: Published,
    grid: GridParameters,
    matched: Sequence[float],
    looks: Sequence[int],
) -> dict[str, pd.DataFrame]:
    """Verdicts by claim, by task and by cell, and the controls of the machine that gives them."""
    seeds, tasks = len(grid.seeds), grid.tasks
    alpha = level(seeds, looks or (seeds,))
    evidence = quantities.of_run(measured, matched[0] if matched else None)
    decisions, authors = decide(FAMILIES, evidence, tasks, alpha), published.decide()
    by_name = {decision.claim.name: decision for decision in authors}
    random = calibration.negative_control(evidence, tasks, alpha)
    return {
        "verdicts": verdict_tables.over_tasks(decisions, by_name),
        "verdict-tasks": verdict_tables.by_task(decisions, by_name),
        "verdict-cells": verdict_tables.by_cell(decisions),
        "controls": calibration.controls(authors, random),
    }


def _attention(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> dict[str, pd.DataFrame]:
    """Attention and survival, of tasks that have usable s-tickets of the size of their search."""
    searched = [ticket for ticket in tickets if ticket.key == STRUCTURED.good]
    analysed = profiles[profiles["task"].isin({ticket.task for ticket in searched})]
    return {
        "attention": head_patterns.shares(analysed, searched),
        "attention-survival": head_patterns.correlation(analysed, searched),
    }
