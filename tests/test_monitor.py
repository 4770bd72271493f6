"""What a user of a cluster sees, on a terminal that is recorded."""

from pathlib import Path

import pytest
from rich.console import Console

from cluster.dag import Graph, Node
from cluster.job import Outcome
from cluster.monitor import Monitor
from stages.shell import cli


def test_cells_are_queued_run_somewhere_come_in_and_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(record=True, force_terminal=True, width=120, quiet=False)
    monkeypatch.setattr(cli, "console", terminal)
    cells = Graph([Node("prune@a"), Node("prune@b"), Node("prune@c"), Node("check")])
    with Monitor(cells, ["check"], "http://here") as board:
        board.begun("prune@a", "one")
        board.begun("prune@a", "two (1)")
        board.begun("prune@b", "one")
        board.ended(Outcome("prune@b", "one", "first\nlast words\n"), Path("logs/prune@b.log"))
        board.ended(Outcome("prune@c", "one", "", {}, {"run": 7.0}, 10**6, 2 * 10**6), Path("log"))
        board._progress.refresh()
    shown = terminal.export_text()
    for part in (
        "1 of 4 cells are done", "prune@a on two (1)", "cells: 0 queued, 1 failed", "2/3",
        "prune@b: failed on one (1 of 3); the end of logs/prune@b.log:", "last words",
        "prune@c: in from one after 7 s (2 of 3)",
    ):  # fmt: skip
        assert part in shown
    [row] = [line for line in shown.splitlines() if line.startswith("│ prune")]
    assert row.split()[3:-1:2] == ["2", "1", "7.0", "0.0", "0.0", "1.0", "2.0"]
