"""Gather the records of every cell into tables, and the headline numbers into one metrics file.

python -m stages.analyse scores subnetworks attention data/patterns published reports/tables \\
    reports/metrics.json
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.analysis import frames, published_masks, published_scores, score_tables, tables
from lottery.grid import GridParameters
from lottery.params import section
from stages.shell import cli


def main(
    scores: Annotated[Path, Argument(help="Folder of the score tables, <task>/<seed>/.")],
    subnetworks: Annotated[Path, Argument(help="Folder of the subnetworks, <task>/<seed>/.")],
    attention: Annotated[Path, Argument(help="Folder of what heads attend to, <task>/.")],
    patterns: Annotated[Path, Argument(help="Folder of how well patterns are told apart.")],
    authors: Annotated[Path, Argument(help="Folder of the authors' results.csv and masks.csv.")],
    out: Annotated[Path, Argument(help="Folder for the tables.")],
    metrics: Annotated[Path, Argument(help="JSON file for the headline numbers.")],
) -> None:
    """Gather the records of every cell into tables, and the headline numbers into one metrics file."""
    grid = section(GridParameters, cli.parameters())
    with (
        cli.stage("analyse", "all", f"{len(grid.cells)} cells") as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(metrics) as headline,
    ):
        records = tables.gather(grid, scores, subnetworks, attention, patterns)
        published = tables.Published(
            scores=published_scores.results(authors / "results.csv"),
            tickets=published_masks.read(authors / "masks.csv"),
        )
        by_name = tables.analyse(records, published, grid.tasks)
        for name, frame in by_name.items():
            frames.save(frame, draft / f"{name}.csv")
        headline.write_text(
            json.dumps(score_tables.headline(by_name), indent=2) + "\n", encoding="utf-8"
        )
        verdicts = by_name["verdicts"]["verdict"].value_counts()
        stage.result = ", ".join(f"{count} claims {verdict}" for verdict, count in verdicts.items())


if __name__ == "__main__":
    cli.run(main)
