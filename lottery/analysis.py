"""Everything the report is made of, by table name: the records of all cells in, tidy frames out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import pandas as pd

from lottery import (
    meaning,
    observations,
    published,
    records,
    stability,
    subnetwork,
    survivors,
    tables,
    verdicts,
)
from lottery.faults import Fault
from lottery.gaze import Gaze
from lottery.grid import Grid
from lottery.masks import Good
from lottery.patterns import Told
from lottery.scores import ImportanceRecord, Score, StepRecord
from lottery.subnetwork import Subnetwork
from lottery.survivors import Survivors


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
    grid: Grid, scores: Path, subnetworks: Path, attention: Path, patterns: Path
) -> Gathered:
    """Every record of the grid's cells; a Fault where one is missing or belongs to another cell."""

    def frame(kind: type[msgspec.Struct], folder: Path, *names: str) -> pd.DataFrame:
        table: pd.DataFrame = records.read_cells(kind, grid.cells, folder, *names).to_pandas()
        return table

    return Gathered(
        scores=frame(Score, scores, *grid.tables),
        steps=frame(StepRecord, subnetworks, "trajectory.parquet"),
        importance=frame(ImportanceRecord, subnetworks, "importance.parquet"),
        good=[each for cell in grid.cells for each in _good(subnetworks, *cell)],
        gazes=_gazes(attention, grid.tasks),
        told=records.read(Told, [patterns / "told.parquet"]).to_pandas(),
    )


def _gazes(folder: Path, tasks: Sequence[str]) -> pd.DataFrame:
    """What the heads of every task attend to; a Fault where a file belongs to another task."""
    found = []
    for task in tasks:
        path = folder / task / "heads.parquet"
        own: pd.DataFrame = records.read(Gaze, [path]).to_pandas()
        if set(own["task"]) != {task}:
            raise Fault(f"{path}: belongs to another task; delete it and run the pipeline again")
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
        survivors.structured(task, seed, structured),
        survivors.magnitude(task, seed, magnitude, heads),
    ]


def _owned(path: Path, owner: tuple[str, int, str]) -> Subnetwork:
    kept, identity = subnetwork.load(path)
    if (identity["task"], identity["seed"], identity["method"]) != owner:
        raise Fault(f"{path}: belongs to another cell; delete it and run the pipeline again")
    return kept


def analyse(own: Gathered, authors: Published, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Every table by its name."""
    cells, curves = tables.cells(own.scores, tasks), tables.curves(own.steps)
    sizes = survivors.sizes(own.good, curves)
    overview = tables.overview(cells, sizes, tasks)
    judged = verdicts.judge(
        observations.observe(
            cells, own.good, own.importance, meaning.contrast(own.gazes, own.good)
        ),
        observations.published(authors.results, authors.masks),
    )
    return {
        "tasks": overview,
        "verdicts": pd.DataFrame([asdict(verdict) for verdict in judged]),
        "cells": cells,
        "results": tables.results(cells),
        "averages": tables.averages(cells, overview),
        "published": published.averages(authors.results),
        "selection": tables.selection(cells),
        "sizes": sizes,
        "survivors": survivors.survivors(sizes, tasks),
        "curves": curves,
        "survival": survivors.survival(own.good),
        "agreement": survivors.agreement(own.good, tasks),
        "stability": stability.stability(own.good),
        "importance": stability.importance_quantiles(own.importance),
        "importance-agreement": stability.importance_agreement(own.importance),
        "overlap": survivors.overlap(own.good, tasks),
        "patterns": own.told,
        "attention": meaning.shares(own.gazes, own.good),
        "attention-survival": meaning.correlation(own.gazes, own.good),
    }
