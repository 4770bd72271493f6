"""Say how long an experiment would take on a cluster, from measured times of its cells.

python -m cluster.simulate profiles/paper.yaml times.csv --workers 1 --workers 8 --workers 64
"""

import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from dvc.repo import Repo
from rich.table import Table
from typer import Argument, Option

from cluster import pipeline, simulation
from cluster.dag import Graph
from stages.shell import cli


def main(
    profile: Annotated[Path, Argument(help="Parameters of the experiment.")],
    times: Annotated[
        Path, Argument(help="CSV: cell (`prune@*`), seconds; the last row that fits.")
    ],
    workers: Annotated[list[int], Option(min=1, help="How many workers, once for each.")],
) -> None:
    """Say how long an experiment would take on a cluster, from measured times of its cells."""
    cells = _cells(profile).away()
    cost = simulation.costs(cells, simulation.table(times))
    table = Table("workers", "hours", "x longest chain", "efficiency")
    for count in workers:
        found = simulation.forecast(cells, cost, count)
        stretch = found.makespan / found.chain if found.chain else 1.0
        hours = f"{found.makespan / 3600:.2f}"
        table.add_row(str(count), hours, f"{stretch:.2f}", f"{found.efficiency:.0%}")
    table.caption = f"simulated: {len(cells)} cells, no queues, no failures"
    cli.console.print(table)


def _cells(profile: Path) -> Graph:
    """The pipeline as it would be with these parameters."""
    with TemporaryDirectory() as apart:
        shutil.copy(profile, Path(apart) / cli.PARAMETERS)
        shutil.copy("dvc.yaml", apart)
        (Path(apart) / ".dvc").mkdir()
        (Path(apart) / ".dvc" / "config").write_text(
            "[core]\n    no_scm = true\n", encoding="utf-8"
        )
        with chdir(apart), Repo() as repo:  # DVC names cells as seen from where one is
            return pipeline.graph(repo)


if __name__ == "__main__":
    cli.run(main)
