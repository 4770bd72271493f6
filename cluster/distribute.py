"""Run the pipeline on a Dask cluster; the report is written on this machine.

    lottery distribute --workers 4

After any failure, start it again: it resumes. A job is one stage instance; DVC's remote carries the results.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from distributed import Client
from dvc.repo import Repo
from typer import Option

from cluster import dispatch, pipeline, simulation, snapshot, workers
from cluster.git import line, require
from cluster.job import TOPIC, Job, Outcome
from cluster.lock import only_one
from cluster.lockfile import Lockfile
from cluster.monitor import Monitor
from lottery.errors import UserError
from stages.shell import cli, resume

SCRATCH = Path("build", "cluster")
TrustNetwork = Annotated[
    bool,
    Option(help="Use a scheduler without encryption: whoever reaches it can run code as you."),
]
Times = Annotated[
    Path | None,
    Option(
        help="Times of jobs, as for `lottery simulate`: the longest chains of jobs start first."
    ),
]
say = partial(cli.console.print, markup=False)


def main(
    count: Annotated[
        int | None,
        Option(
            "--workers",
            min=1,
            help="Workers to start; by default 2 on this machine, or what --cluster says.",
        ),
    ] = None,
    gpus: Annotated[int, Option(min=0, help="GPUs of this machine that its workers share.")] = 0,
    scheduler: Annotated[str | None, Option(help="Address of a running Dask scheduler.")] = None,
    cluster: Annotated[Path | None, Option(help="YAML file of a Dask cluster to start.")] = None,
    trust_network: TrustNetwork = False,
    take: Annotated[
        list[str] | None, Option(help="Worker resource that a training job takes, as GPU=1.")
    ] = None,
    times: Times = None,
    logs: Annotated[Path, Option(help="Folder for the logs of jobs.")] = Path("logs/jobs"),
) -> None:
    """Run the pipeline on a Dask cluster; the report is written on this machine."""
    if scheduler and cluster:
        raise UserError("--scheduler and --cluster: give one of them")
    local = not (scheduler or cluster)
    require(root := Path.cwd())
    takes = _resources(take or (["GPU=1"] if gpus else []))
    seconds = simulation.read_times(times) if times else {"*": 1.0}
    with cli.stage("distribute", "all", "jobs on a cluster") as stage, only_one(root, "distribute"):
        _check_labelled(cli.parameters())
        with pipeline.open_repo(root, local) as repo:
            revision = snapshot.revision(root, pipeline.tracked_outputs(repo))
            pipeline.run_first(repo)
        with pipeline.open_repo(root, local) as repo:  # again: dvc.lock has changed
            head = Head(repo, revision, logs)
        if len(head.done) < len(head.remote):
            with _workers(count, gpus, scheduler, cluster, trust_network, head.left) as client:
                head.run_remote(client, takes, seconds)
        with pipeline.open_repo(root, local) as repo:
            here = pipeline.finish(repo, head.jobs, head.remote.keys(), say)
        stage.result = f"{len(head.remote)} jobs are done; {', '.join(here)} ran here"


class Head:
    """The machine that submits jobs and collects their outcomes."""

    def __init__(self, repo: Repo, revision: str, logs: Path) -> None:
        self._logs = logs
        self.jobs = pipeline.graph(repo)
        self.remote = self.jobs.remote()
        self._revision = revision
        self._folder = line(Path(repo.root_dir), "rev-parse", "--show-prefix")
        self._bundle = snapshot.bundle(Path(repo.root_dir))
        self._settings = snapshot.settings(repo.config)
        self.done = pipeline.push_done(repo, self.remote, say)
        self._lockfile = Lockfile(Path(repo.root_dir) / "dvc.lock")
        self._ended = 0

    def left(self) -> int:
        """Number of jobs for workers that have not ended."""
        return len(self.remote) - len(self.done) - self._ended

    def run_remote(
        self, client: Client, takes: dict[str, float], times: Mapping[str, float]
    ) -> None:
        """Run every remote job that is not done, given seconds by job. Raises UserError at the end if some failed."""
        remaining = self.remote.without(self.done)
        costs = simulation.costs(remaining, times)
        failed: list[str] = []
        with Monitor(len(self.remote), len(self.done), client.dashboard_link) as monitor:

            def ended(outcome: Outcome) -> None:
                self._ended += 1
                monitor.ended(outcome, self._write_log(outcome))
                if outcome.entry is None:
                    failed.append(outcome.job)
                else:
                    self._lockfile.merge(outcome.job, outcome.entry, self.jobs)

            client.subscribe_topic(
                TOPIC, lambda event: monitor.started(event[1]["job"], event[1]["where"])
            )
            dispatch.dispatch(remaining, client, self._prepare, ended, takes, costs)
        if failed:
            raise UserError(
                f"failed: {', '.join(failed)}; jobs that do not need them are done; logs: {self._logs}"
            )

    def _prepare(self, name: str) -> Job:
        needs = tuple(sorted(self.remote[name].needs))
        files = {
            ".dvc/config.local": self._settings,
            "dvc.lock": self._lockfile.part((*needs, name)),
        }
        return Job(name, needs, self._revision, self._bundle, files, self._folder)

    def _write_log(self, outcome: Outcome) -> Path:
        """Write the job's log, and append the times of its stage to the log of all stages."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{outcome.job}.log"
        log.write_text(outcome.log, encoding="utf-8")
        cli.LOG.parent.mkdir(exist_ok=True)
        with cli.LOG.open("a", encoding="utf-8") as file:
            file.write(outcome.times)
        return log


def _workers(
    count: int | None,
    gpus: int,
    scheduler: str | None,
    cluster: Path | None,
    trusted: bool,
    left: Callable[[], int],
) -> AbstractContextManager[Client]:
    if scheduler:
        return workers.at(scheduler, trusted)
    if cluster:
        return workers.from_file(cluster, count, left, trusted, SCRATCH)
    return workers.local(count or 2, gpus, SCRATCH, resume.FOLDER)


def _check_labelled(parameters: Mapping[str, Any]) -> None:
    """Raise UserError if the folder that workers read has a relative path; the head reads all others for them."""
    folder = parameters.get("attention", {}).get("labelled")
    if folder and not Path(folder).expanduser().is_absolute():
        raise UserError(
            f"parameters: attention.labelled = {folder!r}: workers run elsewhere; give the absolute path of a folder"
            " that they can read too"
        )


def _resources(pairs: list[str]) -> dict[str, float]:
    """Amounts by name, from texts such as GPU=1."""
    try:
        return {name: float(amount) for name, amount in (pair.split("=") for pair in pairs)}
    except ValueError:
        raise UserError(
            f"--take {' '.join(pairs)}: expected a name and a number, as GPU=1"
        ) from None
