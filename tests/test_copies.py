"""Copies of the project: what is recorded of them is what is in their files."""

import time
from pathlib import Path

from dulwich.repo import Repo

from cluster import copies
from tests.workspace import Repository


def test_a_change_within_the_second_of_the_checkout_is_staged(tmp_path: Path) -> None:
    """DVC writes the index by dulwich, after which `git add` alone takes the file for unchanged."""
    copy = Repository(tmp_path)
    copy.run("git", "init", "-q")
    parameters, other = tmp_path / "params.yaml", tmp_path / "other"
    parameters.write_text("rate: 0.3\n")
    other.write_text("before\n")
    copy.commit("start")
    parameters.unlink()
    while time.time() % 1 > 0.3:
        time.sleep(0.01)
    copy.run("git", "checkout", "-q", "params.yaml")
    parameters.write_text("rate: 0.5\n")
    time.sleep(1.1)
    other.write_text("after\n")
    with Repo(str(tmp_path)) as repository:
        repository.get_worktree().stage(["other"])
    copies.stage(tmp_path, [])
    assert copy.run("git", "show", ":params.yaml") == "rate: 0.5\n"
