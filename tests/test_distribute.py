"""Parts of a distributed run that need no cluster: retries, dvc.lock, the snapshot, descriptions of clusters."""

import fnmatch
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo

from cluster import copies, pipeline, simulation, snapshot, workers
from cluster.dag import Graph, Node
from cluster.lock import only_one
from cluster.lockfile import Lockfile
from cluster.retry import backoff, retry
from lottery import params
from lottery.errors import UserError
from stages.shell import eta
from stages.shell.imports import names, reach
from tests.project import ROOT, files
from tests.workspace import Repository

TIMES = "reports/benchmarks/paper-cells.csv"


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_retry_succeeds_after_failures(failures: int) -> None:
    messages, waits, errors = list[str](), list[float](), [OSError("unreachable")] * failures

    def action() -> int:
        if errors:
            raise errors.pop()
        return 7

    assert retry(action, "pull", messages.append, (1, 2, 4), waits.append) == 7
    assert waits == [1, 2, 4][:failures]
    assert len(messages) == failures


def test_retry_gives_up_with_one_line_and_at_once_on_user_errors() -> None:
    def unreachable() -> None:
        raise OSError("no\nroute")

    def wrong() -> None:
        raise UserError("a wrong value")

    waits = list[float]()
    with pytest.raises(
        UserError,
        match=r"^pull failed, 3 attempts in 3 s: no route; is the DVC remote reachable\?$",
    ):
        retry(unreachable, "pull", print, (1, 2), waits.append)
    with pytest.raises(UserError, match="a wrong value"):
        retry(wrong, "pull", print, (1, 2), waits.append)
    assert waits == [1, 2]


def test_backoff_doubles_with_jitter() -> None:
    waits = backoff()
    assert len(waits) == 6
    assert all(2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits))
    assert waits != backoff()


def test_changed_entry_drops_entries_of_dependents(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    jobs = Graph([Node("a"), Node("b", frozenset("a")), Node("c")])
    lockfile = Lockfile(lock)
    for name in jobs:
        lockfile.merge(name, {"cmd": name}, jobs)
    before = lock.read_text()
    Lockfile(lock).merge("a", {"cmd": "a"}, jobs)
    assert lock.read_text() == before
    Lockfile(lock).merge("a", {"cmd": "other"}, jobs)
    assert "b:" not in lock.read_text()
    assert Lockfile(lock).part(["c", "b"]) == "schema: '2.0'\nstages:\n  c:\n    cmd: c\n"
    assert {path.name for path in tmp_path.iterdir()} == {"dvc.lock"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    (tmp_path / "params.yaml").write_text("a: 1\n")
    (tmp_path / "dvc.lock").write_text("")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    repository.run("git", "init", "-q")
    repository.commit("start")
    return repository


def test_bundle_holds_the_last_commit(repository: Repository, tmp_path: Path) -> None:
    revision = snapshot.revision(tmp_path, [])
    (tmp_path / "bundle").write_bytes(snapshot.bundle(tmp_path))
    assert revision in repository.run("git", "bundle", "list-heads", "bundle")


def test_uncommitted_changes_are_refused_except_in_outputs(repository: Repository) -> None:
    (repository.root / "dvc.lock").write_text("schema: '2.0'\n")
    assert snapshot.revision(repository.root, ["dvc.lock"])
    (repository.root / "params.yaml").write_text("a: 2\n")
    with pytest.raises(UserError, match=r"and params\.yaml changed since; commit"):
        snapshot.revision(repository.root, ["dvc.lock"])


def test_a_repository_without_a_commit_of_the_project_is_refused(tmp_path: Path) -> None:
    whole = Repository(tmp_path)
    whole.run("git", "init", "-q")
    for name, message in {"one": "made from a commit", "two": "no dvc.yaml here"}.items():
        for read in (lambda: snapshot.revision(tmp_path, []), lambda: copies.original(tmp_path)):
            with pytest.raises(UserError, match=f"{message}; make one"):
                read()
        (tmp_path / name).touch()
        whole.commit("without the project")


def test_settings_of_a_clone_have_the_remote_and_no_secret() -> None:
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
        only_one(tmp_path, "distribute"),
        pytest.raises(UserError, match="another `lottery distribute`"),
        only_one(tmp_path, "distribute"),
    ):
        pass
    with only_one(tmp_path, "distribute"):
        pass
    with pytest.raises(UserError, match=r"no \.dvc here"), only_one(tmp_path / "a", "sweep"):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nmodule: os\nclass: system\n", "module = 'os'; choose one of"),
        ("version: 2\nmodule: distributed\nclass: LocalCluster\n", "Invalid enum value 2"),
        ("[", "not a description"),
    ],
)
def test_only_descriptions_of_dask_clusters_are_accepted(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        workers.read(tmp_path / "cluster.yaml")


def test_pipeline_imports_neither_cluster_nor_dask() -> None:
    reached = reach(*files("stages"))
    assert {path.parts[0] for path in reached} == {"lottery", "stages"}
    assert not {name.split(".")[0] for path in reached for name in names(path)} & {
        "dask",
        "distributed",
    }


def test_committed_times_match_jobs_of_the_paper() -> None:
    jobs = eta.jobs(ROOT / "dvc.yaml", params.read(ROOT / "profiles" / "paper.yaml"))
    times = simulation.read_times(ROOT / TIMES)
    assert not [pattern for pattern in times if not fnmatch.filter(jobs, pattern)]


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        (None, r"error: .*profile\.yaml: no such parameter file; choose one with `make profile`"),
        ("a: 1", r"error: the parameters do not fit the pipeline: .*Could not find 'grid\.tasks'"),
    ],
)
def test_a_forecast_of_wrong_parameters_is_one_line(
    tmp_path: Path, profile: str | None, error: str
) -> None:
    file = tmp_path / "profile.yaml"
    if profile:
        file.write_text(profile)
    done = subprocess.run(
        [sys.executable, "-m", "tools.app", "simulate", str(file), TIMES, "--workers", "2"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.fullmatch(error, done.stderr.strip())


@pytest.mark.parametrize("read", [pipeline.graph, pipeline.tracked_outputs, pipeline.run_first])
def test_parameters_that_do_not_fit_the_pipeline_are_refused_wherever_it_is_read(
    tmp_path: Path, read: Callable[[Repo], object]
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    (tmp_path / "params.yaml").write_text("a: 1")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    with (
        Repo(str(tmp_path)) as repo,
        pytest.raises(UserError, match=r"Could not find 'grid\.tasks'"),
    ):
        read(repo)


def test_paper_on_64_simulated_workers_takes_hardly_longer_than_its_longest_chain() -> None:
    profile = "profiles/paper.yaml"
    output = Repository(ROOT).run(
        sys.executable, "-m", "tools.app", "simulate", profile, TIMES, "--workers", "64"
    )
    [(_, _, stretch, _)] = re.findall(r"│ (64) +│ +([\d.]+) +│ +([\d.]+) +│ +(\d+)% +│", output)
    assert 1 <= float(stretch) <= 1.2


def test_workers_get_the_first_gpus_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def devices(gpus: int) -> list[str]:
        return [workers._devices(number, [0, 1], 3, gpus)[workers.GPUS] for number in range(3)]

    monkeypatch.delenv(workers.GPUS, raising=False)
    assert devices(2) == ["0", "1", "0"]
    monkeypatch.setenv(workers.GPUS, "2,GPU-5a")
    assert devices(2) == ["2", "GPU-5a", "2"]
    assert devices(1) == ["2", "2", "2"]
    with pytest.raises(UserError, match="--gpus 3: CUDA_VISIBLE_DEVICES = 2,GPU-5a allows 2"):
        devices(3)
