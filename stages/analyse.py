"""Gather the records of every cell into tables, and the headline numbers into one metrics file.

python -m stages.analyse scores subnetworks published reports/tables reports/metrics.json
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import analysis, frames, masks, published, records, subnetwork, survivors, tables
from lottery.grid import Grid
from lottery.params import section
from lottery.scores import Score
from lottery.survivors import Survivors
from stages import cli


def main(
    scores: Annotated[Path, Argument(help="Folder of the score tables, <task>/<seed>.parquet.")],
    subnetworks: Annotated[Path, Argument(help="Folder of the subnetworks, <task>/<seed>/.")],
    authors: Annotated[Path, Argument(help="Folder of the authors' results.csv and masks.csv.")],
    out: Annotated[Path, Argument(help="Folder for the tables.")],
    metrics: Annotated[Path, Argument(help="JSON file for the headline numbers.")],
) -> None:
    """Gather the records of every cell into tables, and the headline numbers into one metrics file."""
    grid = section(Grid, "grid", cli.parameters())
    folders = [subnetworks / task / str(seed) for task, seed in grid.cells]
    with (
        cli.stage("analyse", "all", f"{len(folders)} cells") as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(metrics) as headline,
    ):
        score_files = [scores / task / f"{seed}.parquet" for task, seed in grid.cells]
        gathered = analysis.Gathered(
            scores=records.read(Score, score_files).to_pandas(),
            steps=frames.gather(folder / "trajectory.parquet" for folder in folders),
            importance=frames.gather(folder / "importance.parquet" for folder in folders),
            good=[each for folder in folders for each in _good(folder)],
        )
        known = analysis.Published(
            results=published.results(authors / "results.csv"),
            masks=masks.read(authors / "masks.csv"),
        )
        found = analysis.analyse(gathered, known, grid.tasks)
        for name, frame in found.items():
            frames.save(frame, draft / f"{name}.csv")
        headline.write_text(json.dumps(tables.headline(found), indent=2) + "\n", encoding="utf-8")
        said = found["verdicts"]["verdict"].value_counts()
        stage.result = ", ".join(f"{count} claims {word}" for word, count in said.items())


def _good(folder: Path) -> list[Survivors]:
    """The good subnetworks of a cell, both methods."""
    kept, weights = (
        subnetwork.load(folder / method / "good.safetensors")
        for method in ("structured", "magnitude")
    )
    cell = kept[1]["task"], kept[1]["seed"]
    heads = kept[0]["heads"].shape[1]
    return [
        survivors.structured(*cell, kept[0]),
        survivors.magnitude(*cell, weights[0], heads),
    ]


if __name__ == "__main__":
    cli.run(main)
