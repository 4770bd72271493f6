"""Progress of a distributed run on the terminal: running jobs, a line for each that ended, a table by stage."""

import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cluster.job import Outcome
from stages.shell import cli

TAIL = 15
"""Lines of a failed job's log that are shown."""


class Monitor:
    """Progress bars of running jobs with their hosts and times; messages on outcomes; a summary at the end."""

    def __init__(self, total: int, done: int, dashboard: str) -> None:
        self._remaining = total - done
        self._outcomes: list[Outcome] = []
        self._running: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._progress = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=cli.console, transient=True, disable=not cli.console.is_terminal,
        )  # fmt: skip
        self._all = self._progress.add_task("jobs", total=self._remaining)
        cli.console.print(f"  {done} of {total} jobs are done; dashboard: {dashboard}")
        self._started = time.monotonic()

    def __enter__(self) -> "Monitor":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if self._outcomes:
            cli.console.print(self._table())

    def started(self, job: str, where: str) -> None:
        """Show that a worker has started a job, for the second time if its first worker died."""
        with self._lock:
            if job in {outcome.job for outcome in self._outcomes}:
                return
            if job in self._running:
                self._progress.remove_task(self._running[job])
            self._running[job] = self._progress.add_task(escape(f"{job} on {where}"), total=None)
            self._count()

    def ended(self, outcome: Outcome, log: Path) -> None:
        """Show that a job is done, or that it has failed with the end of its log."""
        with self._lock:
            self._outcomes.append(outcome)
            if outcome.job in self._running:
                self._progress.remove_task(self._running.pop(outcome.job))
            self._progress.advance(self._all)
            self._count()
        count = f"{len(self._outcomes)} of {self._remaining}"
        if outcome.entry is None:
            tail = "\n".join(outcome.log.splitlines()[-TAIL:])
            text = f"{outcome.job}: failed on {outcome.host} ({count}); the end of {log}:\n{tail}"
        else:
            seconds = sum(outcome.seconds.values())
            text = f"{outcome.job}: done on {outcome.host} in {seconds:.0f} s ({count})"
        cli.console.print(f"  {text}", markup=False)

    def _count(self) -> None:
        failed = sum(outcome.entry is None for outcome in self._outcomes)
        queued = self._remaining - len(self._outcomes) - len(self._running)
        self._progress.update(self._all, description=f"jobs: {queued} queued, {failed} failed")

    def _table(self) -> Table:
        table = Table(
            "stage", "jobs", "failed", "run s", "pull s", "push s", "pulled MB", "pushed MB"
        )
        for stage in dict.fromkeys(_stage(outcome) for outcome in self._outcomes):
            outcomes = [outcome for outcome in self._outcomes if _stage(outcome) == stage]
            table.add_row(stage, *_sums(outcomes))
        table.add_section()
        table.add_row("all", *_sums(self._outcomes))
        table.caption = f"{time.monotonic() - self._started:.0f} s in all"
        return table


def _stage(outcome: Outcome) -> str:
    return outcome.job.partition("@")[0]


def _sums(outcomes: Collection[Outcome]) -> list[str]:
    failed = sum(outcome.entry is None for outcome in outcomes)
    seconds = [
        sum(outcome.seconds.get(step, 0.0) for outcome in outcomes)
        for step in ("run", "pull", "push")
    ]
    megabytes = [
        sum(outcome.pulled for outcome in outcomes) / 1e6,
        sum(outcome.pushed for outcome in outcomes) / 1e6,
    ]
    numbers = (f"{number:.1f}" for number in (*seconds, *megabytes))
    return [str(len(outcomes)), str(failed), *numbers]
