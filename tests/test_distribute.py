"""What the head does before and after the cluster: waiting for storage, the lock, the bundle, the settings."""

import re
import sys
from pathlib import Path

import pytest

from cluster import snapshot, workers
from cluster.dag import Graph, Node
from cluster.lockfile import Lockfile
from cluster.retry import retry
from lottery.errors import UserError
from stages.shell.imports import names, reach
from tests.project import ROOT, files
from tests.workspace import Repository


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_patience_outlasts_failures(failures: int) -> None:
    said, slept, left = list[str](), list[float](), [OSError("away")] * failures

    def action() -> int:
        if left:
            raise left.pop()
        return 7

    assert retry(action, "pull", said.append, (1, 2, 4), slept.append) == 7
    assert slept == [1, 2, 4][:failures]
    assert len(said) == failures


def test_patience_ends_in_one_line_and_lets_faults_pass() -> None:
    def away() -> None:
        raise OSError("no\nroute")

    def wrong() -> None:
        raise UserError("its own")

    slept = list[float]()
    with pytest.raises(
        UserError, match=r"^pull failed, 3 tries in 3 s: no route; is the DVC remote reachable\?$"
    ):
        retry(away, "pull", print, (1, 2), slept.append)
    with pytest.raises(UserError, match="its own"):
        retry(wrong, "pull", print, (1, 2), slept.append)
    assert slept == [1, 2]


def test_a_new_entry_unsettles_what_stands_behind_it_and_an_old_one_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    cells = Graph([Node("a"), Node("b", frozenset("a")), Node("c")])
    state = Lockfile(lock)
    for name in cells:
        state.merge(name, {"cmd": name}, cells)
    before = lock.read_text()
    Lockfile(lock).merge("a", {"cmd": "a"}, cells)
    assert lock.read_text() == before
    Lockfile(lock).merge("a", {"cmd": "other"}, cells)
    assert "b:" not in lock.read_text()
    assert Lockfile(lock).part(["c", "b"]) == "schema: '2.0'\nstages:\n  c:\n    cmd: c\n"
    assert {path.name for path in tmp_path.iterdir()} == {"dvc.lock"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    (tmp_path / "params.yaml").write_text("a: 1\n")
    (tmp_path / "dvc.lock").write_text("")
    made.run("git", "init", "-q")
    made.commit("start")
    return made


def test_a_bundle_is_the_last_commit(repository: Repository, tmp_path: Path) -> None:
    revision = snapshot.revision(tmp_path, [])
    (tmp_path / "bundle").write_bytes(snapshot.bundle(tmp_path))
    assert revision in repository.run("git", "bundle", "list-heads", "bundle")


def test_what_is_not_committed_is_refused_but_for_results(repository: Repository) -> None:
    (repository.root / "dvc.lock").write_text("schema: '2.0'\n")
    assert snapshot.revision(repository.root, ["dvc.lock"])
    (repository.root / "params.yaml").write_text("a: 2\n")
    with pytest.raises(UserError, match=r"and params\.yaml changed since; commit"):
        snapshot.revision(repository.root, ["dvc.lock"])


def test_a_clone_is_told_where_the_remote_is_and_no_secret() -> None:
    remote = {
        "url": "s3://bucket/a,b",
        "endpointurl": "http://127.0.0.1:1",
        "secret_access_key": "hush",
    }
    text = snapshot.settings({"core": {"remote": "lab"}, "remote": {"lab": remote}})
    assert "s3://bucket/a,b" in text
    assert "endpointurl" in text
    assert "hush" not in text


def test_one_head_at_a_time(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    with (
        snapshot.only_head(tmp_path),
        pytest.raises(UserError, match=r"another cluster\.distribute"),
        snapshot.only_head(tmp_path),
    ):
        pass
    with snapshot.only_head(tmp_path):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nmodule: os\nclass: system\n", "module = 'os' is none of"),
        ("version: 2\nmodule: distributed\nclass: LocalCluster\n", "Invalid enum value 2"),
        ("[", "not a description"),
    ],
)
def test_only_dask_clusters_are_started(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        workers.read(tmp_path / "cluster.yaml")


def test_the_pipeline_imports_nothing_of_the_cluster() -> None:
    """Nor of Dask, as far as its imports go."""
    reached = reach(*files("stages"))
    assert {path.parts[0] for path in reached} == {"lottery", "stages"}
    assert not {name.split(".")[0] for path in reached for name in names(path)} & {
        "dask",
        "distributed",
    }


def test_simulated_on_64_workers_the_paper_takes_little_longer_than_its_longest_chain() -> None:
    times, profile = "reports/benchmarks/paper-cells.csv", "profiles/paper.yaml"
    said = Repository(ROOT).run(
        sys.executable, "-m", "cluster.simulate", profile, times, "--workers", "64"
    )
    [(_, _, stretch, _)] = re.findall(r"│ (64) +│ +([\d.]+) +│ +([\d.]+) +│ +(\d+)% +│", said)
    assert 1 <= float(stretch) <= 1.2
