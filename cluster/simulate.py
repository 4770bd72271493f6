"""Forecast how long an experiment takes on a cluster, from measured times.

lottery simulate profiles/paper.yaml times.csv --workers 1 --workers 8 --workers 64
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
from lottery import params
from stages.shell import cli


def main(
    profile: Annotated[Path, Argument(help="Parameters of the experiment.")],
    times: Annotated[
        Path,
        Argument(
            help="CSV with a column cell (job or pattern, as `prune@*`) and a column seconds; the last match counts."
        ),
    ],
    workers: Annotated[list[int], Option(min=1, help="Number of workers; may be repeated.")],
) -> None:
    """Forecast how long an experiment takes on a cluster, from measured times."""
    params.read(profile)
    seconds = simulation.read_times(times)
    graph = _graph(profile).remote()
    costs = simulation.costs(graph, seconds)
    table = Table("workers", "hours", "x longest chain", "efficiency")
    for count in workers:
        forecast = simulation.forecast(graph, costs, count)
        stretch = forecast.makespan / forecast.chain if forecast.chain else 1.0
        hours = f"{forecast.makespan / 3600:.2f}"
        table.add_row(str(count), hours, f"{stretch:.2f}", f"{forecast.efficiency:.0%}")
    table.caption = f"simulated: {len(graph)} jobs, no queues, no failures"
    cli.console.print(table)


def _graph(profile: Path) -> Graph:
    """The jobs of the pipeline with these parameters."""
    with TemporaryDirectory() as scratch:
        shutil.copy(profile, Path(scratch) / cli.PARAMETERS)
        shutil.copy("dvc.yaml", scratch)
        (Path(scratch) / ".dvc").mkdir()
        (Path(scratch) / ".dvc" / "config").write_text(
            "[core]\n    no_scm = true\n", encoding="utf-8"
        )
        with chdir(scratch), Repo() as repo:  # DVC names jobs relative to the working directory
            return pipeline.graph(repo)
