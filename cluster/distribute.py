"""Run the pipeline's cells on a Dask cluster: DVC's remote carries the results, this machine writes the report.

    python -m cluster.distribute --jobs 4

Start it again after any failure: it goes on where it stopped.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from distributed import Client
from dvc.repo import Repo
from typer import Option

from cluster import dispatch, pipeline, simulation, snapshot, workers
from cluster.dag import Graph
from cluster.job import TOPIC, Job, Outcome
from cluster.lockfile import Lockfile
from cluster.monitor import Monitor
from lottery.errors import UserError
from stages.shell import cli, resume

PLACES = (("encoder", "checkpoint"), ("data", "source"), ("attention", "labelled"))
"""Parameters that may name a folder."""
say = partial(cli.console.print, markup=False)


def main(
    jobs: Annotated[
        int | None, Option(min=1, help="Workers to start: 2 here, as many as the file says.")
    ] = None,
    gpus: Annotated[int, Option(min=0, help="GPUs of this machine to share among them.")] = 0,
    scheduler: Annotated[str | None, Option(help="Address of a Dask scheduler that runs.")] = None,
    cluster: Annotated[Path | None, Option(help="YAML file of a Dask cluster to start.")] = None,
    take: Annotated[
        list[str] | None, Option(help="What a training cell takes of a worker, as GPU=1.")
    ] = None,
    times: Annotated[
        Path | None,
        Option(help="CSV: cell (`prune@*`), seconds; lets the longest chains begin first."),
    ] = None,
    logs: Annotated[Path, Option(help="Folder for a log of every cell.")] = Path("logs/cells"),
) -> None:
    """Run the pipeline's cells on a Dask cluster: DVC's remote carries the results, this machine writes the report."""
    if scheduler and cluster:
        raise UserError(
            "--scheduler and --cluster: choose one, workers are there or are to be started"
        )
    alone = not (scheduler or cluster)
    root = Path.cwd()
    takes = _resources(take or (["GPU=1"] if gpus else []))
    with cli.stage("distribute", "all", "cells on a cluster") as stage, snapshot.only_head(root):
        _reachable(cli.parameters())
        with pipeline.opened(root, alone) as repo:
            revision = snapshot.revision(root, pipeline.ignored(repo))
            pipeline.begin(repo)
        with pipeline.opened(root, alone) as repo:  # again: dvc.lock is another now
            head = Head(repo, revision, logs)
        if len(head.done) < len(head.remote):
            with _pool(jobs, gpus, scheduler, cluster) as client:
                head.away(client, takes, times)
        with pipeline.opened(root, alone) as repo:
            here = pipeline.complete(repo, head.cells, head.remote.keys(), say)
        stage.result = f"{len(head.remote)} cells are in; {', '.join(here)} ran here"


class Head:
    """The machine that sends cells out and takes their results in."""

    def __init__(self, repo: Repo, revision: str, logs: Path) -> None:
        self.root, self._logs = Path(repo.root_dir), logs
        self.cells = pipeline.graph(repo)
        self.remote: Graph = self.cells.away()
        self._revision = revision
        self._bundle = snapshot.bundle(self.root)
        self._settings = snapshot.settings(repo.config)
        self.done = pipeline.offered(repo, self.remote, say)
        self._state = Lockfile(self.root / "dvc.lock")

    def away(self, client: Client, takes: dict[str, float], times: Path | None) -> None:
        """Run every cell that can run elsewhere; a UserError when all others are in and some failed."""
        table = simulation.table(times) if times else {"*": 1.0}
        cost = simulation.costs(self.remote, table)
        with Monitor(self.remote, self.done, client.dashboard_link) as board:
            client.subscribe_topic(
                TOPIC, lambda event: board.begun(event[1]["cell"], event[1]["where"])
            )
            failed: list[Outcome] = []

            def ended(outcome: Outcome) -> None:
                log = self._kept(outcome)
                board.ended(outcome, log)
                if outcome.entry is None:
                    failed.append(outcome)
                else:
                    self._state.merge(outcome.cell, outcome.entry, self.cells)

            dispatch.work(self.remote, self.done, client, self._errand, ended, takes, cost)
        if failed:
            names = ", ".join(outcome.cell for outcome in failed)
            raise UserError(
                f"failed: {names}; all others that could are in, logs are in {self._logs}"
            )

    def _errand(self, name: str) -> Job:
        needs = tuple(sorted(self.remote[name].needs))
        files = {".dvc/config.local": self._settings, "dvc.lock": self._state.part((*needs, name))}
        return Job(name, needs, self._revision, self._bundle, files)

    def _kept(self, outcome: Outcome) -> Path:
        """The cell's log beside the others, and its stage's time in the log of the stages."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{outcome.cell}.log"
        log.write_text(outcome.log, encoding="utf-8")
        cli.LOG.parent.mkdir(exist_ok=True)
        with cli.LOG.open("a", encoding="utf-8") as file:
            file.write(outcome.stages)
        return log


def _pool(
    jobs: int | None, gpus: int, scheduler: str | None, cluster: Path | None
) -> AbstractContextManager[Client]:
    if scheduler:
        return workers.at(scheduler)
    if cluster:
        return workers.described(cluster, jobs)
    return workers.local(jobs or 2, gpus, Path("build/cluster"), resume.FOLDER)


def _reachable(tree: Mapping[str, Any]) -> None:
    """A UserError for a folder that is named as seen from here."""
    for section, key in PLACES:
        place = tree.get(section, {}).get(key)
        if place and not Path(place).is_absolute() and Path(place).exists():
            raise UserError(
                f"parameters: {section}.{key} = {place!r}: workers are elsewhere; give the whole path of a folder"
                " that they see too"
            )


def _resources(given: list[str]) -> dict[str, float]:
    """`GPU=1` and the like as numbers."""
    try:
        return {name: float(amount) for name, amount in (pair.split("=") for pair in given)}
    except ValueError:
        raise UserError(
            f"--take {' '.join(given)}: expected a name and a number, as GPU=1"
        ) from None


if __name__ == "__main__":
    cli.run(main)
