"""A pipeline of five small cells on a real Dask cluster, and who kills its workers."""

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
    matrix: {cell: [one, two]}
    cmd: python work.py first ${item.cell} out/first/${item.cell}
    meta: {takes: {GPU: 1}}
    deps: [work.py]
    params: [factor]
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
import os, pathlib, sys, time
beside, (stage, cell, out) = pathlib.Path({beside!r}), sys.argv[1:]
with (beside / "seen").open("a") as file:
    file.write(f"{{stage}}@{{cell}}\\n")
if "MALLOC_TRIM_THRESHOLD_" in os.environ:
    sys.exit("Dask's own settings are not for cells")
if (stage, cell) == {broken!r}:
    sys.exit("broken on purpose")
if (stage, cell) == ("first", "two") and not (beside / "hung").exists():
    (beside / "hung").touch()
    while not (beside / "go").exists():
        time.sleep(0.1)
pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
factor = pathlib.Path("params.yaml").read_text().split()[1]
pathlib.Path(out).write_text(f"{{cell}} {{factor}}")
"""


class Toy(Repository):
    """Two cells, two more that need both, and a total that is made where it is wanted.

    Its first@two hangs when it is run first, until `go`. Beside it lie its remote and a list of what ran.
    """

    def __init__(self, beside: Path, broken: tuple[str, ...] = ()) -> None:
        super().__init__(beside / "toy")
        self.beside = beside
        for package in PACKAGES:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, self.root / package, ignore=ignore)
        (self.root / "dvc.yaml").write_text(PIPELINE)
        (self.root / "params.yaml").write_text("factor: 1\n")
        (self.root / ".gitignore").write_text("/out/\n/build/\n/logs/\n__pycache__/\n")
        (self.root / "work.py").write_text(WORK.format(beside=str(beside), broken=broken))
        self.run("git", "init", "-q")
        self.run("dvc", "init", "-q")
        self.run("dvc", "remote", "add", "--default", "lab", str(beside / "remote"))
        self.commit("start")

    def seen(self) -> Counter[str]:
        """What ran since the last call."""
        lines = (self.beside / "seen").read_text().splitlines()
        (self.beside / "seen").write_text("")
        return Counter(lines)

    def hangs(self) -> None:
        """Return when first@two hangs and the rest that could be done is in."""
        until((self.beside / "hung").exists)
        until(lambda: "first@one:" in text(self.root / "dvc.lock"))

    def go(self) -> None:
        (self.beside / "go").touch()


class Killer(Thread):
    """Kills, with SIGKILL, the worker that works on a cell, once `due` is true."""

    def __init__(self, root: Path, cell: str, due: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self._root, self._cell, self._due = str(root), cell, due
        self._family: list[psutil.Process] = []
        self.start()

    def run(self) -> None:
        """Wait until it is due, then strike once."""
        while not self._family:
            time.sleep(0.2)
            with suppress(psutil.Error):  # processes come and go
                self._strike()

    def _strike(self) -> None:
        for process in psutil.process_iter(["cmdline", "cwd"]):
            line = process.info["cmdline"] or []
            ours = "cluster.run_cell" in line and any(self._cell in word for word in line[3:4])
            here = (process.info["cwd"] or "").startswith(self._root)
            if here and ours and self._due() and (found := process.children(recursive=True)):
                process.parent().kill()
                self._family = [process, *found]
                break

    def survivors(self) -> list[psutil.Process]:
        """What still runs of the cell that lost its worker."""
        _, alive = psutil.wait_procs(self._family, timeout=10)
        return list(alive)


def distribute(work: Repository, *options: str, fails: bool = False) -> str:
    """What the command prints; on two workers of this machine where nothing else is said."""
    command = ("python", "-m", "cluster.distribute", *(options or ("--jobs", "2")))
    return work.run(*command, fails=fails)


def until(due: Callable[[], bool]) -> None:
    """Wait for it, on a busy machine too."""
    end = time.monotonic() + 300
    while not due():
        assert time.monotonic() < end
        time.sleep(0.1)


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
