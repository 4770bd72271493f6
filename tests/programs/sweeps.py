"""Run sweeps of a toy pipeline under load, and kill what runs at random moments; every one must end and lose nothing.

    python -m tests.programs.sweeps 30

Each sweep has three values, of which one fails for good. Stages, jobs, experiments and the sweep itself are killed by
SIGKILL, while other processes keep all cores busy: this program's, where the machine has no others. A sweep that was
killed is started again.
"""

import json
import math
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.project import ROOT
from tests.workspace import Repository

VALUES = (2, 13, 4)
LONGEST = 30
"""Times the usual length of a sweep after which one hangs."""
PIPELINE = """\
stages:
  first:
    cmd: python work.py first.json
    deps: [work.py]
    params: [b]
    outs: [first.json]
  second:
    cmd: python work.py second.json
    deps: [work.py, first.json]
    params: [b]
    metrics: [{second.json: {cache: false}}]
"""
WORK = """\
import json, pathlib, re, sys, time
from stages.shell import shutdown
shutdown.prepare()
value = int(re.search(r"^b: (.*)$", pathlib.Path("params.yaml").read_text(), re.M)[1])
time.sleep(0.3)
if (value, sys.argv[1]) == (13, "second.json"):
    sys.exit("13 is bad")
pathlib.Path(sys.argv[1]).write_text(json.dumps({"b": value}))
"""
COMPUTE = "compute: {threads: 1, alone: 1, device: cpu, precision: float32}\n"


def main() -> None:
    sweeps, rng, kills = int(sys.argv[1]), random.Random(1), Counter[str]()
    started = time.monotonic()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder, _load():
        undisturbed = project(Path(folder) / "undisturbed")
        _check(undisturbed, _sweep(undisturbed, rng, kills, math.inf))
        usual = time.monotonic() - started
        for number in range(sweeps):
            toy = project(Path(folder) / str(number))
            while (code := _sweep(toy, rng, kills, usual)) < 0:
                pass
            _check(toy, code)
            print(f"{number + 1} of {sweeps}: ended, {kills.total()} kills so far", flush=True)
    minutes = (time.monotonic() - started) / 60
    counts = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
    print(
        f"{sweeps} sweeps ended, {kills.total()} kills ({counts}), {minutes:.0f} min; nothing is lost"
    )


def project(root: Path) -> Repository:
    """The toy pipeline in a repository of one commit."""
    root.mkdir()
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "work.py").write_text(WORK)
    (root / "params.yaml").write_text(f"b: 1\n{COMPUTE}")
    (root / ".gitignore").write_text("/first.json\n/logs/\n/partial/\n")
    toy = Repository(root)
    toy.run("git", "init", "-q")
    toy.run("dvc", "init", "-q")
    toy.commit("start")
    return toy


def _sweep(toy: Repository, rng: random.Random, kills: Counter[str], usual: float) -> int:
    """Exit code of a sweep whose processes are killed now and then; negative if it was itself.

    usual: seconds that a sweep takes here; the pauses between kills are a tenth of them to all.
    """
    values = ",".join(map(str, VALUES))
    with toy.start("python", "-m", "tools.app", "sweep", "it", f"b={values}") as process:
        deadline = time.monotonic() + LONGEST * usual
        while True:
            try:
                return process.wait(usual * rng.uniform(0.1, 1) if usual < math.inf else None)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, f"a sweep hangs:\n{toy.said()}"
            with suppress(psutil.Error):
                _kill(psutil.Process(process.pid), rng, kills)


def _kill(sweep: psutil.Process, rng: random.Random, kills: Counter[str]) -> None:
    """Kill the sweep, or one of the processes below it."""
    chain = [
        ("sweep", sweep),
        *zip(("experiment", "job", "stage"), sweep.children(True), strict=False),
    ]
    name, victim = rng.choice(chain)
    victim.kill()
    kills[name] += 1


def _check(toy: Repository, code: int) -> None:
    """The good values are recorded, the bad one is named, the working tree is as it was."""
    assert code == 1, toy.said()
    last = toy.said().splitlines()[-1]
    assert last == "error: failed, see above: it-2 (b=13); the others are done", toy.said()
    refs = toy.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    found = {
        ref.rpartition("/")[2]: json.loads(toy.run("git", "show", f"{ref}:second.json"))
        for ref in refs
    }
    expected = {f"it-{at}": {"b": value} for at, value in enumerate(VALUES, 1) if value != 13}
    assert found == expected, found
    assert not toy.run("git", "status", "--porcelain", "--untracked-files=no")
    assert not [path for path in toy.root.glob(".dvc/tmp/sweep*") if path.is_dir()]


@contextmanager
def _load() -> Iterator[None]:
    """Twice as many busy processes as cores, those of others counted."""
    missing = 2 * (os.cpu_count() or 1) - round(os.getloadavg()[0])
    busy = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(max(0, missing))]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
