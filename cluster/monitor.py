"""What a user sees of a run on a cluster: where every cell is, and in the end what each stage took."""

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

from cluster.dag import Graph
from cluster.job import Outcome
from stages.shell import cli

TAIL = 15


class Monitor:
    """Cells that run with where and since when, a line for each that ended, a table of all."""

    def __init__(self, cells: Graph, done: Collection[str], dashboard: str) -> None:
        self._left = len(cells) - len(done)
        self._came: list[Outcome] = []
        self._running: dict[str, TaskID] = {}
        self._guard = threading.Lock()
        shown = cli.console.is_terminal
        self._progress = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), console=cli.console, transient=True, disable=not shown,
        )  # fmt: skip
        self._all = self._progress.add_task("cells", total=self._left)
        cli.console.print(f"  {len(done)} of {len(cells)} cells are done; dashboard: {dashboard}")
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
        if self._came:
            cli.console.print(self._table())

    def begun(self, cell: str, where: str) -> None:
        """A worker has taken a cell; one that another has lost is shown where it is now."""
        with self._guard:
            if cell in {outcome.cell for outcome in self._came}:
                return
            if cell in self._running:
                self._progress.remove_task(self._running[cell])
            self._running[cell] = self._progress.add_task(escape(f"{cell} on {where}"), total=None)
            self._count()

    def ended(self, outcome: Outcome, log: Path) -> None:
        """A cell is in, or has failed: then the end of its log is shown."""
        with self._guard:
            self._came.append(outcome)
            if outcome.cell in self._running:
                self._progress.remove_task(self._running.pop(outcome.cell))
            self._progress.advance(self._all)
            self._count()
        so_far = f"{len(self._came)} of {self._left}"
        if outcome.entry is None:
            tail = "\n".join(outcome.log.splitlines()[-TAIL:])
            text = f"{outcome.cell}: failed on {outcome.host} ({so_far}); the end of {log}:\n{tail}"
        else:
            took = f"{sum(outcome.seconds.values()):.0f} s"
            text = f"{outcome.cell}: in from {outcome.host} after {took} ({so_far})"
        cli.console.print(f"  {text}", markup=False)

    def _count(self) -> None:
        failed = sum(outcome.entry is None for outcome in self._came)
        queued = self._left - len(self._came) - len(self._running)
        self._progress.update(self._all, description=f"cells: {queued} queued, {failed} failed")

    def _table(self) -> Table:
        table = Table(
            "stage", "cells", "failed", "run s", "pull s", "push s", "pulled MB", "pushed MB"
        )
        for stage in dict.fromkeys(outcome.cell.partition("@")[0] for outcome in self._came):
            own = [each for each in self._came if each.cell.partition("@")[0] == stage]
            table.add_row(stage, *_sums(own))
        table.add_section()
        table.add_row("all", *_sums(self._came))
        table.caption = f"{time.monotonic() - self._started:.0f} s in all"
        return table


def _sums(outcomes: Collection[Outcome]) -> list[str]:
    steps = [
        sum(each.seconds.get(step, 0.0) for each in outcomes) for step in ("run", "pull", "push")
    ]
    moved = [
        sum(each.pulled for each in outcomes) / 1e6,
        sum(each.pushed for each in outcomes) / 1e6,
    ]
    failed = sum(each.entry is None for each in outcomes)
    return [str(len(outcomes)), str(failed), *(f"{number:.1f}" for number in (*steps, *moved))]
