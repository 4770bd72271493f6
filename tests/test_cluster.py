"""Cells on a real Dask cluster of this machine: a toy pipeline for its faults, the smoke run for its report."""

import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import boto3
import psutil
import pytest
from moto.server import ThreadedMotoServer

from tests.imports import PACKAGES, ROOT
from tests.workspace import Repository, Workspace

pytestmark = pytest.mark.pipeline
PIPELINE = """\
stages:
  first:
    matrix: {cell: [one, two]}
    cmd: python work.py first ${item.cell} out/first/${item.cell}
    deps: [work.py]
    params: [hold]
    outs: ["out/first/${item.cell}"]
  second:
    matrix: {cell: [one, two]}
    cmd: python work.py second ${item.cell} out/second/${item.cell}
    deps: [work.py, out/first]
    outs: ["out/second/${item.cell}"]
  total:
    cmd: python work.py total all total.txt
    deps: [work.py, out/second]
    outs:
      - total.txt: {cache: false}
"""
WORK = """\
import pathlib, sys, time
seen, (stage, cell, out) = pathlib.Path({seen!r}), sys.argv[1:]
hung = seen.with_name("hung")
with seen.open("a") as file:
    file.write(f"{{stage}}@{{cell}}\\n")
if (stage, cell) == {broken!r}:
    sys.exit("broken on purpose")
if (stage, cell) == ("first", "two") and not hung.exists():
    hung.touch()
    time.sleep(600)  # until its worker is killed
pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(out).write_text(cell)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Repository:
    """A pipeline of five small cells, with a folder for its remote."""
    root = tmp_path / "toy"
    ignore = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=ignore)
    made = Repository(root)
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "params.yaml").write_text("hold: true\n")
    (root / ".gitignore").write_text("/out/\n/build/\n/logs/\n__pycache__/\n")
    (root / "work.py").write_text(
        WORK.format(seen=str(tmp_path / "seen"), broken=("second", "two"))
    )
    made.run("git", "init", "-q")
    made.run("dvc", "init", "-q")
    made.run("dvc", "remote", "add", "--default", "lab", str(tmp_path / "remote"))
    made.commit("start")
    return made


def test_a_worker_dies_a_cell_breaks_and_the_next_run_goes_on(
    toy: Repository, tmp_path: Path
) -> None:
    killer = Killer(toy.root, "first@two")
    output = distribute(toy, fails=True)
    killer.join(timeout=60)
    assert not killer.survivors()
    last = output.splitlines()[-1]
    assert last.startswith("error: failed: second@two; all others that could are in")
    assert "broken on purpose" in output
    assert "broken on purpose" in (toy.root / "logs" / "cells" / "second@two.log").read_text()
    work = (toy.root / "work.py").read_text()
    (toy.root / "work.py").write_text(work.replace("sys.exit(", "print("))
    assert "work.py changed since; commit" in distribute(toy, fails=True)
    assert not (toy.root / "total.txt").exists()
    ran = seen(tmp_path)
    assert ran == {"first@one": 1, "first@two": 2, "second@one": 1, "second@two": 1}
    toy.commit("mended")
    distribute(toy)
    toy.run("dvc", "repro", "--allow-missing")
    assert not (toy.root / "out" / "first").exists()
    again = seen(tmp_path)
    assert again == {
        "first@one": 1,
        "first@two": 1,
        "second@one": 1,
        "second@two": 1,
        "total@all": 1,
    }


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_smoke_run_through_s3_with_a_worker_killed_is_the_plain_run(
    tmp_path: Path, bucket: str
) -> None:
    plain, far = Workspace(tmp_path / "plain", "smoke"), Workspace(tmp_path / "far", "smoke")
    far.run("dvc", "config", "--local", "--unset", "cache.dir")
    far.run("dvc", "remote", "add", "--local", "--default", "lab", "s3://lottery/smoke")
    far.run("dvc", "remote", "modify", "--local", "lab", "endpointurl", bucket)
    boto3.client("s3", endpoint_url=bucket).create_bucket(Bucket="lottery")
    plain.run("dvc", "repro")
    killer = Killer(far.root, "finetune@")
    distribute(far)
    killer.join(timeout=60)
    ran = far.executed()
    assert ran == {
        "check": 1, "fetch": 2, "prepare": 1, "finetune": 1, "prune": 1, "retrain": 1, "super": 1,
        "recognise": 1, "attend": 1, "analyse": 1, "report": 1, "distribute": 1,
    }  # fmt: skip
    assert not list((far.root / "models").glob("**/*.safetensors"))
    assert far.digests("reports/tables") == plain.digests("reports/tables")
    assert far.digests("reports/figures") == plain.digests("reports/figures")
    assert told(far) == told(plain)


def told(work: Workspace) -> str:
    """The report without where it comes from."""
    text = (work.root / "reports" / "report.md").read_text(encoding="utf-8")
    return re.sub(r"(?ms)^## Provenance$.*?(?=^## |\Z)", "", text)


class Killer(Thread):
    """Kills, with SIGKILL, the worker that works on a cell, as soon as its stage runs."""

    def __init__(self, root: Path, cell: str) -> None:
        super().__init__(daemon=True)
        self._root, self._cell = str(root), cell
        self._family: list[psutil.Process] = []
        self.start()

    def run(self) -> None:
        """Wait for the stage to have begun, then strike once."""
        while not self._family:
            time.sleep(0.2)
            for process in psutil.process_iter(["cmdline", "cwd"]):
                line = process.info["cmdline"] or []
                ours = "stages.cell" in line and any(self._cell in word for word in line[3:4])
                here = (process.info["cwd"] or "").startswith(self._root)
                if here and ours and (found := process.children(recursive=True)):
                    self._family = [process, *found]
                    process.parent().kill()
                    break

    def survivors(self) -> list[psutil.Process]:
        """What still runs of the cell that lost its worker."""
        _, alive = psutil.wait_procs(self._family, timeout=10)
        return list(alive)


def distribute(work: Repository, fails: bool = False) -> str:
    return work.run("python", "-m", "stages.distribute", "--jobs", "2", fails=fails)


def seen(folder: Path) -> Counter[str]:
    """What ran since the last call."""
    lines = (folder / "seen").read_text().splitlines()
    (folder / "seen").write_text("")
    return Counter(lines)
