"""Progress of a distributed run, on a recorded terminal."""

from pathlib import Path

import pytest
from rich.console import Console

from cluster.job import Outcome
from cluster.monitor import Monitor
from stages.shell import cli


def test_monitor_shows_queued_running_finished_and_failed_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Console(record=True, force_terminal=True, width=120, quiet=False)
    monkeypatch.setattr(cli, "console", terminal)
    with Monitor(4, 1, "http://here") as monitor:
        monitor.started("prune@a", "one")
        monitor.started("prune@a", "two (1)")
        monitor.started("prune@b", "one")
        monitor.ended(Outcome("prune@b", "one", "first\nlast words\n"), Path("logs/prune@b.log"))
        done = Outcome("prune@c", "one", "", {}, {"run": 7.0}, 10**6, 2 * 10**6)
        monitor.ended(done, Path("logs/prune@c.log"))
        monitor._progress.refresh()
    output = terminal.export_text()
    for part in (
        "1 of 4 jobs are done", "prune@a on two (1)", "jobs: 0 queued, 1 failed", "2/3",
        "prune@b: failed on one (1 of 3); the end of logs/prune@b.log:", "last words",
        "prune@c: done on one in 7 s (2 of 3)",
    ):  # fmt: skip
        assert part in output
    [row] = [line for line in output.splitlines() if line.startswith("│ prune")]
    assert row.split()[3:-1:2] == ["2", "1", "7.0", "0.0", "0.0", "1.0", "2.0"]
