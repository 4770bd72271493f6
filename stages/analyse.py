"""Gather the records of every cell into tables, and the headline numbers into one metrics file.

python -m stages.analyse --scores scores --subnetworks subnetworks reports/tables reports/metrics.json
"""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from lottery import frames, records, stability, subnetwork, survivors, tables
from lottery.grid import Grid
from lottery.params import section
from lottery.scores import Score
from lottery.survivors import Survivors
from stages import cli


def main(
    scores: Annotated[Path, Option(help="Folder of the score tables, <task>/<seed>.parquet.")],
    subnetworks: Annotated[Path, Option(help="Folder of the subnetworks, <task>/<seed>/.")],
    out: Annotated[Path, Argument(help="Folder for the tables.")],
    metrics: Annotated[Path, Argument(help="JSON file for the headline numbers.")],
) -> None:
    """Gather the records of every cell into tables, and the headline numbers into one metrics file."""
    grid = section(Grid, "grid", cli.parameters())
    about = f"gather {len(grid.cells)} cells"
    with (
        cli.stage("analyse", "all", about) as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(metrics) as metrics_draft,
    ):
        found = [each for cell in grid.cells for each in _survivors(subnetworks, *cell)]
        score_files = [scores / task / f"{seed}.parquet" for task, seed in grid.cells]
        folders = [subnetworks / task / str(seed) for task, seed in grid.cells]
        importance = frames.gather(folder / "importance.parquet" for folder in folders)
        cells = tables.cells(records.read(Score, score_files).to_pandas(), grid.tasks)
        curves = tables.curves(frames.gather(folder / "trajectory.parquet" for folder in folders))
        sizes = survivors.sizes(found, curves)
        overview = tables.overview(cells, sizes, grid.tasks)
        averages = tables.averages(cells, overview)
        agreement = survivors.agreement(found, grid.tasks)
        written: dict[str, pd.DataFrame] = {
            "tasks": overview,
            "cells": cells,
            "results": tables.results(cells),
            "averages": averages,
            "selection": tables.selection(cells),
            "survivors": survivors.survivors(sizes, grid.tasks),
            "curves": curves,
            "survival": survivors.survival(found),
            "agreement": agreement,
            "stability": stability.stability(found),
            "importance": stability.importance_quantiles(importance),
            "importance-agreement": stability.importance_agreement(importance),
            "overlap": survivors.overlap(found, grid.tasks),
        }
        for name, frame in written.items():
            frames.save(frame, draft / f"{name}.csv")
        headline = tables.headline(averages, overview, sizes, agreement)
        metrics_draft.write_text(json.dumps(headline, indent=2) + "\n", encoding="utf-8")
        stage.result = f"{len(written)} tables from {len(cells)} scores"


def _survivors(folder: Path, task: str, seed: int) -> list[Survivors]:
    """The good subnetworks of a cell, both methods."""
    kept, weights = (
        subnetwork.load(folder / task / str(seed) / method / "good.safetensors")[0]
        for method in ("structured", "magnitude")
    )
    heads = kept["heads"].shape[1]
    return [
        survivors.structured(task, seed, kept),
        survivors.magnitude(task, seed, weights, heads),
    ]


if __name__ == "__main__":
    cli.run(main)
