"""Compute all tables of the report from the records of every cell, and a file of headline numbers.

python -m stages.analyse scores predictions subnetworks attention data/patterns published \\
    reports/tables reports/metrics.json
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pandas import DataFrame
from typer import Argument

from lottery.analysis import (
    connectivity,
    frames,
    published_masks,
    published_scores,
    rewinding,
    tables,
    transfer,
)
from lottery.analysis.averages import headline_numbers
from lottery.analysis.looks import EvidenceParameters
from lottery.analysis.other_papers import tables as other_papers
from lottery.grid import GridParameters
from lottery.params import section
from lottery.tickets.connectivity import ConnectivityParameters
from lottery.tickets.parameters import ControlsParameters, RewindParameters
from lottery.tickets.transfer import TransferParameters
from lottery.wording import counted
from stages.shell import cli


def main(
    scores: Annotated[Path, Argument(help="Folder of the score tables, <task>/<seed>/.")],
    predictions: Annotated[Path, Argument(help="Folder of the predictions, <task>/<seed>/.")],
    subnetworks: Annotated[
        Path, Argument(help="Folder of tickets and trajectories, <task>/<seed>/.")
    ],
    attention: Annotated[Path, Argument(help="Folder of attention profiles, <task>/.")],
    patterns: Annotated[Path, Argument(help="Folder of the pattern classifier's accuracy.")],
    authors: Annotated[Path, Argument(help="Folder of the authors' results.csv and masks.csv.")],
    out: Annotated[Path, Argument(help="Folder for the tables.")],
    metrics: Annotated[Path, Argument(help="JSON file for the headline numbers.")],
) -> None:
    """Compute all tables of the report from the records of every cell, and a file of headline numbers."""
    parameters = cli.parameters()
    grid = section(GridParameters, parameters)
    matched = section(ControlsParameters, parameters).matched
    looks = section(EvidenceParameters, parameters).looks
    with (
        cli.stage("analyse", "all", f"{len(grid.cells)} cells") as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(metrics) as metrics_draft,
    ):
        records = tables.gather(
            grid, matched, scores, predictions, subnetworks, attention, patterns
        )
        published = tables.Published(
            scores=published_scores.read(authors / "results.csv"),
            tickets=published_masks.read(authors / "masks.csv"),
        )
        by_name = tables.analyse(records, published, grid, matched, looks)
        by_name |= _optional(parameters, grid, scores, records.scores, by_name)
        for name, frame in by_name.items():
            frames.save(frame, draft / f"{name}.csv")
        numbers = json.dumps(headline_numbers(by_name), indent=2)
        metrics_draft.write_text(numbers + "\n", encoding="utf-8")
        verdicts = by_name["verdicts"]["verdict"].value_counts()
        stage.result = ", ".join(
            f"{counted(n, 'claim')} {verdict}" for verdict, n in verdicts.items()
        )


def _optional(
    parameters: Mapping[str, Any],
    grid: GridParameters,
    folder: Path,
    scores: DataFrame,
    run: Mapping[str, DataFrame],
) -> dict[str, DataFrame]:
    """The tables of the parts that are off by default; none if they are.

    folder: of the records of these parts. scores: of all tickets. run: the tables of the other parts.
    """
    rewound = rewinding.gather(grid, section(RewindParameters, parameters), folder)
    transferred = transfer.gather(grid, section(TransferParameters, parameters), folder)
    lines = connectivity.gather(grid, section(ConnectivityParameters, parameters), folder)
    by_name = {
        **rewinding.tables(rewound, run["cells"]),
        **transfer.tables(transferred, run["cells"]),
        **connectivity.tables(lines, scores, run["cells"]),
    }
    looks = section(EvidenceParameters, parameters).looks
    of_papers = other_papers.tables(
        {**run, **by_name}, rewound, transferred, grid.tasks, len(grid.seeds), looks
    )
    return by_name | of_papers


if __name__ == "__main__":
    cli.run(main)
