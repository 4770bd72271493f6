"""Everything the report is made of, by table name: the records of all cells in, tidy frames out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import pandas as pd

from lottery import records, subnetwork
from lottery.analysis import (
    head_patterns,
    published_scores,
    quantities,
    score_tables,
    stability,
    survival,
    verdicts,
)
from lottery.analysis.published_masks import Good
from lottery.analysis.survival import Survivors
from lottery.attention.descriptors import HeadProfile
from lottery.attention.patterns import PatternAccuracy
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.schemas import ImportanceRecord, Score, StepRecord
from lottery.subnetwork import Subnetwork


@dataclass(frozen=True)
class Gathered:
    """The records of all cells: scores, steps and importances as frames, and the good subnetworks.

    Of their heads: what they attend to (`gazes`), and how well patterns of attention are told apart (`told`).
    """

    scores: pd.DataFrame
    steps: pd.DataFrame
    importance: pd.DataFrame
    good: Sequence[Survivors]
    gazes: pd.DataFrame
    told: pd.DataFrame


@dataclass(frozen=True)
class Published:
    """What the authors published: scores over their seeds, and the masks of their good subnetworks."""

    results: pd.DataFrame
    masks: Sequence[Good]


def gather(
    grid: GridParameters, scores: Path, subnetworks: Path, attention: Path, patterns: Path
) -> Gathered:
    """Every record of the grid's cells; a UserError where one is missing or belongs to another cell."""

    def frame(kind: type[msgspec.Struct], folder: Path, *names: str) -> pd.DataFrame:
        table: pd.DataFrame = records.read_cells(kind, grid.cells, folder, *names).to_pandas()
        return table

    return Gathered(
        scores=frame(Score, scores, *grid.tables),
        steps=frame(StepRecord, subnetworks, "trajectory.parquet"),
        importance=frame(ImportanceRecord, subnetworks, "importance.parquet"),
        good=[each for cell in grid.cells for each in _good(subnetworks, *cell)],
        gazes=_gazes(attention, grid.tasks),
        told=records.read(PatternAccuracy, [patterns / "told.parquet"]).to_pandas(),
    )


def _gazes(folder: Path, tasks: Sequence[str]) -> pd.DataFrame:
    """What the heads of every task attend to; a UserError where a file belongs to another task."""
    found = []
    for task in tasks:
        path = folder / task / "heads.parquet"
        own: pd.DataFrame = records.read(HeadProfile, [path]).to_pandas()
        if set(own["task"]) != {task}:
            raise UserError(
                f"{path}: belongs to another task; delete it and run the pipeline again"
            )
        found.append(own)
    return pd.concat(found, ignore_index=True)


def _good(folder: Path, task: str, seed: int) -> list[Survivors]:
    """The good subnetworks of a cell, both methods."""
    structured, magnitude = (
        _owned(folder / task / str(seed) / method / "good.safetensors", (task, seed, method))
        for method in ("structured", "magnitude")
    )
    heads = structured["heads"].shape[1]
    return [
        survival.structured(task, seed, structured),
        survival.magnitude(task, seed, magnitude, heads),
    ]


def _owned(path: Path, owner: tuple[str, int, str]) -> Subnetwork:
    kept, identity = subnetwork.load(path)
    if (identity["task"], identity["seed"], identity["method"]) != owner:
        raise UserError(f"{path}: belongs to another cell; delete it and run the pipeline again")
    return kept


def analyse(own: Gathered, authors: Published, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Every table by its name."""
    cells, curves = score_tables.cells(own.scores, tasks), score_tables.curves(own.steps)
    sizes = survival.sizes(own.good, curves)
    overview = score_tables.overview(cells, sizes, tasks)
    judged = verdicts.judge(
        quantities.observe(
            cells, own.good, own.importance, head_patterns.contrast(own.gazes, own.good)
        ),
        quantities.published(authors.results, authors.masks),
    )
    return {
        "tasks": overview,
        "verdicts": pd.DataFrame([asdict(verdict) for verdict in judged]),
        "cells": cells,
        "results": score_tables.results(cells),
        "averages": score_tables.averages(cells, overview),
        "published": published_scores.averages(authors.results),
        "selection": score_tables.selection(cells),
        "sizes": sizes,
        "survivors": survival.survivors(sizes, tasks),
        "curves": curves,
        "survival": survival.survival(own.good),
        "agreement": survival.agreement(own.good, tasks),
        "stability": stability.stability(own.good),
        "importance": stability.importance_quantiles(own.importance),
        "importance-agreement": stability.importance_agreement(own.importance),
        "overlap": survival.overlap(own.good, tasks),
        "patterns": own.told,
        "attention": head_patterns.shares(own.gazes, own.good),
        "attention-survival": head_patterns.correlation(own.gazes, own.good),
    }
