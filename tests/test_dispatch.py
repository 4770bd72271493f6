"""What can go wrong on a cluster, with a toy pipeline: workers and heads die, cells break, storage is away."""

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
from tests.toy import Killer, Toy, distribute, text, until
from tests.workspace import Repository

pytestmark = pytest.mark.pipeline
ONCE = {"first@one": 1, "first@two": 1, "second@one": 1, "second@two": 1, "total@all": 1}


def test_a_worker_dies_a_cell_breaks_and_the_next_run_goes_on(tmp_path: Path) -> None:
    toy = Toy(tmp_path, broken=("second", "two"))
    killer = Killer(toy.root, "first@two", (tmp_path / "hung").exists)
    output = distribute(toy, fails=True)
    killer.join(timeout=300)
    assert not killer.survivors()
    last = output.splitlines()[-1]
    assert last.startswith("error: failed: second@two; all others that could are in")
    assert "broken on purpose" in output
    assert "broken on purpose" in text(toy.root / "logs" / "cells" / "second@two.log")
    (toy.root / "work.py").write_text(text(toy.root / "work.py").replace("sys.exit(", "print("))
    assert "work.py changed since; commit" in distribute(toy, fails=True)
    assert not (toy.root / "total.txt").exists()
    assert toy.seen() == {"first@one": 1, "first@two": 2, "second@one": 1, "second@two": 1}
    toy.commit("mended")
    distribute(toy)
    toy.run("dvc", "repro", "--allow-missing")
    assert not (toy.root / "out" / "first").exists()
    assert toy.seen() == ONCE


def test_a_head_dies_with_its_workers_and_the_next_goes_on(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with started(toy, "python", "-m", "cluster.distribute", "--jobs", "2") as head:
        toy.hangs()
        family = psutil.Process(head.pid).children(recursive=True)
        assert any("cluster.run_cell" in process.cmdline() for process in family)
        head.kill()
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive
    distribute(toy)
    assert toy.seen() == ONCE | {"first@two": 2}


def test_workers_that_all_die_are_started_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with started(toy, "python", "-m", "cluster.distribute", "--jobs", "2") as head:
        toy.hangs()
        for child in psutil.Process(head.pid).children():
            if any("spawn_main" in word for word in child.cmdline()):
                child.kill()
        assert head.wait(timeout=300) == 0, toy.said()
    assert toy.seen() == ONCE | {"first@two": 2}


def test_two_heads_at_one_scheduler_and_one_remote_do_no_harm(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.run("git", "clone", "-q", ".", str(tmp_path / "other"))
    other = Repository(tmp_path / "other")
    with (
        farm(tmp_path / "farm") as address,
        started(toy, "python", "-m", "cluster.distribute", "--scheduler", address) as head,
    ):
        toy.hangs()
        assert "another cluster.distribute is at work" in distribute(toy, fails=True)
        distribute(other, "--scheduler", address)
        toy.go()
        assert head.wait(timeout=300) == 0, toy.said()
    assert toy.seen() == ONCE | {"first@two": 2, "total@all": 2}
    locks = [YAML(typ="safe").load(work.root / "dvc.lock") for work in (toy, other)]
    assert locks[0] == locks[1]  # cells stand in it as they came in
    objects = [path for path in (tmp_path / "remote" / "files").rglob("*") if path.is_file()]
    assert objects
    for path in objects:
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert path.parent.name + path.name.removesuffix(".dir") == digest


def test_a_batch_job_that_is_gone_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The documented Slurm cluster, where `sbatch` runs jobs on this machine: the only one ends in the middle."""
    toy = Toy(tmp_path)
    found = re.search(
        r"```yaml\n(.*?)```", (ROOT / "docs" / "cluster.md").read_text("utf-8"), re.DOTALL
    )
    assert found
    (tmp_path / "slurm.yaml").write_text(found[1])
    slurm(tmp_path / "bin", tmp_path / "jobs")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1s")

    def strike() -> None:
        until((tmp_path / "hung").exists)
        os.killpg(int(text(tmp_path / "jobs").split()[0]), signal.SIGKILL)

    Thread(target=strike, daemon=True).start()
    distribute(toy, "--cluster", str(tmp_path / "slurm.yaml"), "--jobs", "1", "--take", "GPU=1")
    assert len(text(tmp_path / "jobs").split()) == 2
    assert toy.seen() == ONCE | {"first@two": 2}


def test_a_clone_sees_that_a_folder_of_many_cells_is_not_what_another_cell_read(
    tmp_path: Path,
) -> None:
    """Half of a changed run was done elsewhere: nothing of it lies in the clone."""
    toy = Toy(tmp_path)
    toy.go()
    (tmp_path / "hung").touch()
    toy.run("dvc", "repro")
    toy.run("dvc", "push", "--run-cache")
    (toy.root / "params.yaml").write_text("factor: 2\n")
    toy.run("dvc", "repro", "first")
    toy.run("dvc", "push", "first")
    toy.commit("half")
    toy.seen()
    toy.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    distribute(clone)
    assert toy.seen() == {"second@one": 1, "second@two": 1, "total@all": 1}
    assert "2" in text(clone.root / "total.txt")


def test_on_one_machine_the_projects_cache_is_the_remote(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.go()
    toy.run("dvc", "remote", "remove", "lab")
    toy.commit("no remote")
    distribute(toy)
    assert toy.seen() == ONCE
    toy.run("dvc", "repro")
    assert not toy.seen()
    assert (toy.root / "out" / "first" / "one").exists()


def test_a_folder_that_workers_do_not_see_is_refused(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    (toy.root / "params.yaml").write_text("factor: 1\ndata: {source: cluster}\n")
    toy.commit("here")
    assert "data.source = 'cluster': workers are elsewhere" in distribute(toy, fails=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of DVC, in this process for once
def test_a_remote_that_answers_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)
    monkeypatch.chdir(toy.root)
    with socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    s3 = {"url": "s3://late/toy", "endpointurl": f"http://127.0.0.1:{port}"}
    keys = {"access_key_id": "testing", "secret_access_key": "testing"}
    config = {"core": {"remote": "late"}, "remote": {"late": s3 | keys}}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    said = list[str]()

    def say(line: str) -> None:
        if not said:
            server.start()
        said.append(line)

    with Repo(toy.root, config=config) as repo:
        assert not pipeline.offered(repo, pipeline.graph(repo), say)
    server.stop()
    assert len(said) == 1
    assert said[0].endswith("again in 1 s")


def slurm(folder: Path, jobs: Path) -> None:
    """Slurm's two commands, for jobs that run here at once; their ids are noted. A script is kept, as Slurm does."""
    folder.mkdir()
    start = 'cp "$1" "$1.kept"; setsid sh "$1.kept" >/dev/null 2>&1'
    submit = f'{start} & echo $! >> {jobs}; echo "Submitted batch job $!"'
    for name, script in {"sbatch": submit, "scancel": 'kill -s KILL -- "-$1"'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@contextmanager
def farm(folder: Path) -> Iterator[str]:
    """The address of a scheduler with one worker of two threads, both processes of their own."""
    told = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--scheduler-file", str(told))
    for part in ("scheduler", "worker"):
        (folder / part).mkdir(parents=True)
    scheduler, worker = Repository(folder / "scheduler"), Repository(folder / "worker")
    with started(scheduler, "dask", "scheduler", "--port", "0", "--no-dashboard", *here):
        until(told.exists)
        with started(worker, "dask", "worker", "--nthreads", "2", "--local-directory", ".", *here):
            yield json.loads(text(told))["address"]


@contextmanager
def started(work: Repository, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, ended with all it started."""
    with work.start(*command) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
