"""A pipeline of five tiny jobs for a real Dask cluster, and a thread that kills its workers."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

from stages.shell.imports import PACKAGES
from tests.project import ROOT
from tests.workspace import Repository

PIPELINE = """\
stages:
  first:
    matrix: {item: [one, two]}
    cmd: python work.py first ${item.item} out/first/${item.item}
    meta: {trains: true}
    deps: [work.py]
    params: [factor]
    outs: ["out/first/${item.item}"]
  second:
    matrix: {item: [one, two]}
    cmd: python work.py second ${item.item} out/second/${item.item}
    deps: [work.py, out/first]
    outs: ["out/second/${item.item}"]
  total:
    cmd: python work.py total all total.txt
    deps: [work.py, out/second]
    outs:
      - total.txt: {cache: false}
"""
WORK = """\
import os, pathlib, sys, time
beside, (stage, item, out) = pathlib.Path({beside!r}), sys.argv[1:]
with (beside / "ran").open("a") as file:
    file.write(f"{{stage}}@{{item}}\\n")
if "MALLOC_TRIM_THRESHOLD_" in os.environ:
    sys.exit("Dask's environment for workers has reached a job")
if (stage, item) == {broken!r}:
    sys.exit("broken on purpose")
if (stage, item) == ("first", "two") and not (beside / "hung").exists():
    (beside / "hung").touch()
    while not (beside / "go").exists():
        time.sleep(0.1)
pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
factor = pathlib.Path("params.yaml").read_text().split()[1]
pathlib.Path(out).write_text(f"{{item}} {{factor}}")
"""


LONG = 300
"""Seconds after which what a test waits for never happens, on a busy machine either."""
DISTRIBUTE = ("python", "-m", "tools.app", "distribute")


class Toy(Repository):
    """Two jobs, two more that need both, and a total that runs on the head.

    The first run of first@two hangs until `go`. The remote and a list of what ran lie beside the repository.
    """

    def __init__(self, beside: Path, broken: tuple[str, ...] = ()) -> None:
        super().__init__(beside / "toy")
        self.beside = beside
        for package in PACKAGES:
            ignore = shutil.ignore_patterns("*.pyc.*")  # what Python is writing just now
            shutil.copytree(ROOT / package, self.root / package, ignore=ignore)
        (self.root / "dvc.yaml").write_text(PIPELINE)
        (self.root / "params.yaml").write_text("factor: 1\n")
        (self.root / ".gitignore").write_text("/out/\n/build/\n/logs/\n__pycache__/\n")
        (self.root / "work.py").write_text(WORK.format(beside=str(beside), broken=broken))
        self.init(f"[core]\n    remote = lab\n['remote \"lab\"']\n    url = {beside / 'remote'}\n")
        self.commit("start")

    def executed(self) -> Counter[str]:
        """Number of runs of each job since the last call."""
        lines = (self.beside / "ran").read_text().splitlines()
        (self.beside / "ran").write_text("")
        return Counter(lines)

    def wait_until_hung(self) -> None:
        """Return when first@two hangs and first@one is done."""
        until((self.beside / "hung").exists, "first@two has not started")
        until(lambda: "first@one:" in text(self.root / "dvc.lock"), "first@one is not done")

    def go(self) -> None:
        (self.beside / "go").touch()


class Killer(Thread):
    """Kills the worker that runs a job with SIGKILL, once `due` is true."""

    def __init__(self, root: Path, job: str, due: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self._root, self._job, self._due = str(root), job, due
        self._family: list[psutil.Process] = []
        self.start()

    def run(self) -> None:
        """Wait until it is due, then kill once."""
        while not self._family:
            time.sleep(0.05)
            with suppress(psutil.Error):  # processes come and go
                self._kill()

    def _kill(self) -> None:
        for process in psutil.process_iter(["cmdline", "cwd"]):
            words = process.info["cmdline"] or []
            runs_job = "cluster.run_job" in words and any(self._job in word for word in words[3:4])
            here = (process.info["cwd"] or "").startswith(self._root)
            if here and runs_job and self._due() and (children := process.children(recursive=True)):
                process.parent().kill()
                self._family = [process, *children]
                break

    def survivors(self) -> list[psutil.Process]:
        """Processes of the killed worker's job that still run."""
        self.join(LONG)
        assert self._family, f"no worker was killed in {LONG} s: {self._job} was not running"
        _, alive = psutil.wait_procs(self._family, timeout=LONG)
        return list(alive)


def distribute(work: Repository, *options: str, fails: bool = False) -> str:
    """Output of `lottery distribute`, by default with two workers of this machine."""
    return work.run(*DISTRIBUTE, *(options or ("--workers", "2")), fails=fails)


def until(due: Callable[[], bool], otherwise: str) -> None:
    """Wait until a condition holds, on a busy machine too; `otherwise` says what is the case if it never does."""
    end = time.monotonic() + LONG
    while not due():
        assert time.monotonic() < end, f"after {LONG} s {otherwise}"
        time.sleep(0.1)


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
