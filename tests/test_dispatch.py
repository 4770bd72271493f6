"""Failures on a cluster, with a toy pipeline: workers and heads die, jobs fail, the remote is unreachable."""

import hashlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket
from threading import Thread

import psutil
import pytest
from dvc.repo import Repo
from moto.server import ThreadedMotoServer
from ruamel.yaml import YAML

from cluster import pipeline
from tests.project import ROOT
from tests.toy import DISTRIBUTE, LONG, Killer, Toy, distribute, text, until
from tests.workspace import Repository

pytestmark = pytest.mark.pipeline
ONCE = {"first@one": 1, "first@two": 1, "second@one": 1, "second@two": 1, "total@all": 1}


def test_worker_dies_job_fails_and_next_run_resumes(tmp_path: Path) -> None:
    toy = Toy(tmp_path, broken=("second", "two"))
    killer = Killer(toy.root, "first@two", (tmp_path / "hung").exists)
    output = distribute(toy, fails=True)
    assert not killer.survivors()
    last = output.splitlines()[-1]
    assert last.startswith("error: failed: second@two; jobs that do not need them are done")
    assert "broken on purpose" in output
    assert "broken on purpose" in text(toy.root / "logs" / "jobs" / "second@two.log")
    (toy.root / "work.py").write_text(text(toy.root / "work.py").replace("sys.exit(", "print("))
    assert "work.py changed since; commit" in distribute(toy, fails=True)
    assert not (toy.root / "total.txt").exists()
    assert toy.executed() == {"first@one": 1, "first@two": 2, "second@one": 1, "second@two": 1}
    toy.commit("fixed")
    distribute(toy)
    toy.run("dvc", "repro", "--allow-missing")
    assert not (toy.root / "out" / "first").exists()
    assert toy.executed() == ONCE


def test_head_dies_with_its_workers_and_next_one_resumes(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with started(toy, *DISTRIBUTE, "--workers", "2") as head:
        toy.wait_until_hung()
        family = psutil.Process(head.pid).children(recursive=True)
        assert any("cluster.run_job" in process.cmdline() for process in family)
        head.kill()
        _, alive = psutil.wait_procs(family, timeout=LONG)
        assert not alive
    distribute(toy)
    assert toy.executed() == ONCE | {"first@two": 2}


def test_dead_workers_are_started_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with started(toy, *DISTRIBUTE, "--workers", "2") as head:
        toy.wait_until_hung()
        for child in psutil.Process(head.pid).children():
            if any("spawn_main" in word for word in child.cmdline()):
                child.kill()
        assert head.wait(LONG) == 0, toy.said()
    assert toy.executed() == ONCE | {"first@two": 2}


def test_two_heads_may_share_scheduler_and_remote(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.run("git", "clone", "-q", ".", str(tmp_path / "other"))
    other = Repository(tmp_path / "other")
    with (
        farm(tmp_path / "farm") as address,
        started(toy, *DISTRIBUTE, "--scheduler", address) as head,
    ):
        toy.wait_until_hung()
        assert "another `lottery distribute` is running" in distribute(toy, fails=True)
        distribute(other, "--scheduler", address)
        toy.go()
        assert head.wait(LONG) == 0, toy.said()
    assert toy.executed() == ONCE | {"first@two": 2, "total@all": 2}
    locks = [YAML(typ="safe").load(work.root / "dvc.lock") for work in (toy, other)]
    assert locks[0] == locks[1]  # the order of entries may differ
    objects = [path for path in (tmp_path / "remote" / "files").rglob("*") if path.is_file()]
    assert objects
    for path in objects:
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert path.parent.name + path.name.removesuffix(".dir") == digest


def test_ended_batch_job_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented Slurm cluster, with an `sbatch` that runs batch jobs on this machine; the only one is killed."""
    toy = Toy(tmp_path)
    documentation = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", documentation, re.DOTALL)
    assert example
    (tmp_path / "slurm.yaml").write_text(example[1])
    slurm(tmp_path / "bin", tmp_path / "jobs")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1s")

    def kill() -> None:
        until((tmp_path / "hung").exists, "first@two has not started")
        os.killpg(int(text(tmp_path / "jobs").split()[0]), signal.SIGKILL)

    Thread(target=kill, daemon=True).start()
    distribute(toy, "--cluster", str(tmp_path / "slurm.yaml"), "--workers", "1", "--take", "GPU=1")
    assert len(text(tmp_path / "jobs").split()) == 2
    assert toy.executed() == ONCE | {"first@two": 2}


def test_project_cache_is_the_remote_for_local_workers(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.go()
    toy.run("dvc", "remote", "remove", "lab")
    toy.commit("no remote")
    distribute(toy)
    assert toy.executed() == ONCE
    toy.run("dvc", "repro")
    assert not toy.executed()
    assert (toy.root / "out" / "first" / "one").exists()


def test_relative_folder_that_workers_would_read_is_refused(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    (toy.root / "params.yaml").write_text("factor: 1\nattention: {labelled: cluster}\n")
    toy.commit("here")
    assert "attention.labelled = 'cluster': workers run elsewhere" in distribute(toy, fails=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # by DVC, here in this process
def test_unreachable_remote_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Toy(tmp_path)
    monkeypatch.chdir(toy.root)
    with socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    s3 = {"url": "s3://late/toy", "endpointurl": f"http://127.0.0.1:{port}"}
    keys = {"access_key_id": "testing", "secret_access_key": "testing"}
    config = {"core": {"remote": "late"}, "remote": {"late": s3 | keys}}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    messages = list[str]()

    def start_server(message: str) -> None:
        if not messages:
            server.start()
        messages.append(message)

    with Repo(toy.root, config=config) as repo:
        assert not pipeline.push_done(repo, pipeline.graph(repo), start_server)
    server.stop()
    assert len(messages) == 1
    assert re.search(r"trying again in 1\.\d s$", messages[0])


def slurm(folder: Path, jobs: Path) -> None:
    """Slurm's two commands: batch jobs run here at once, their process ids go to `jobs`, their scripts are copied."""
    folder.mkdir()
    start = 'cp "$1" "$1.kept"; setsid sh "$1.kept" >/dev/null 2>&1'
    submit = f'{start} & echo $! >> {jobs}; echo "Submitted batch job $!"'
    for name, script in {"sbatch": submit, "scancel": 'kill -s KILL -- "-$1"'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@contextmanager
def farm(folder: Path) -> Iterator[str]:
    """Address of a scheduler with one worker of two threads, each in its own process."""
    connection = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--scheduler-file", str(connection))
    for part in ("scheduler", "worker"):
        (folder / part).mkdir(parents=True)
    scheduler, worker = Repository(folder / "scheduler"), Repository(folder / "worker")
    with started(scheduler, "dask", "scheduler", "--port", "0", "--no-dashboard", *here):
        until(connection.exists, "the scheduler has no address")
        with started(worker, "dask", "worker", "--nthreads", "2", "--local-directory", ".", *here):
            yield json.loads(text(connection))["address"]


@contextmanager
def started(work: Repository, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running command; it and its children are killed at the end."""
    with work.start(*command) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_wrong_table_of_times_is_told_before_any_work(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    (tmp_path / "times.csv").write_text("what,is this\n")
    output = distribute(toy, "--times", str(tmp_path / "times.csv"), fails=True)
    assert output.startswith(f"error: {tmp_path / 'times.csv'}: ")
    assert not (tmp_path / "ran").exists()
