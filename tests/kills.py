"""Kill real runs at random moments until they have come through, and compare what came out.

    python -m tests.kills 50

Each workspace has a cache of its own, so that nothing comes from an earlier run. What a killed run had
finished may only be found again where it was left: outputs, the cache, the stages' own journals.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.workspace import Workspace

OUTPUTS = ("data", "models", "subnetworks", "scores", "attention", "reports/tables")
GRACE = 10.0
"""Seconds in which everything must have ended."""


def _stage(dvc: psutil.Process) -> None:
    for child in dvc.children()[:1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _send(signum: int) -> Callable[[psutil.Process], None]:
    return lambda dvc: os.killpg(dvc.pid, signum)


def _until_heard(act: Callable[[psutil.Process], None]) -> Callable[[psutil.Process], None]:
    """`act` until DVC ends: a stage that ends by itself just then misses it, and so does DVC meanwhile."""

    def repeat(dvc: psutil.Process) -> None:
        for _ in range(4):
            act(dvc)
            with suppress(psutil.TimeoutExpired):
                dvc.wait(GRACE / 4)
                return

    return repeat


WAYS: Mapping[str, Callable[[psutil.Process], None]] = {
    "SIGKILL to DVC": psutil.Process.kill,
    "SIGKILL to the stage": _until_heard(_stage),
    "SIGKILL to all": _send(signal.SIGKILL),
    "SIGTERM to DVC": psutil.Process.terminate,
    "Ctrl-C": _until_heard(_send(signal.SIGINT)),
}


class Killer:
    """Runs that are killed so long as there are kills left; it counts them by way and by stage."""

    def __init__(self, kills: int, seed: int, longest: float) -> None:
        self.left, self.longest = kills, longest
        self.ways, self.stages = Counter[str](), Counter[str]()
        self._chance = random.Random(seed)

    def lead(self, work: Workspace) -> None:
        """`dvc repro` again and again until it comes to its end."""
        while not self._try(work):
            pass

    def _try(self, work: Workspace) -> bool:
        """One run: whether it came to its end before it was killed."""
        with work.start("dvc", "repro") as process:
            try:
                wait = self._chance.uniform(1, self.longest) if self.left else None
                code = process.wait(wait)
                if code:
                    raise AssertionError(f"a run that nobody killed failed:\n{work.said()}")
                return True
            except subprocess.TimeoutExpired:
                self._kill(psutil.Process(process.pid))
            process.wait(GRACE)
        return False

    def _kill(self, dvc: psutil.Process) -> None:
        family = dvc.children(recursive=True)
        way = self._chance.choice(sorted(WAYS))
        self.left -= 1
        self.ways[way] += 1
        self.stages[_running(family)] += 1
        WAYS[way](dvc)
        _, left = psutil.wait_procs([dvc, *family], GRACE)
        alive = [process for process in left if _runs(process)]
        for process in alive:
            process.kill()
        assert not alive, f"{way}: still there after {GRACE:.0f} s: {alive}"


def _runs(process: psutil.Process) -> bool:
    """Whether it is more than an entry that nobody has collected."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _running(family: list[psutil.Process]) -> str:
    """The stage among the processes of DVC."""
    for process in family:
        try:
            words: list[str] = process.cmdline()
        except psutil.Error:
            continue
        for word in words:
            if word.startswith("stages."):
                return word.removeprefix("stages.")
    return "between stages"


def workspace(root: Path, **changes: Any) -> Workspace:
    """The smallest experiment, but for `changes`, in a folder of its own, with a cache of its own."""
    work = Workspace(root, "smoke", **changes)
    work.run("dvc", "config", "--local", "cache.dir", str(root / ".dvc" / "cache"))
    return work


def results(work: Workspace) -> dict[str, str]:
    """The digest of every file that a run leaves, but for the report, which tells times."""
    return {name: digest for folder in OUTPUTS for name, digest in work.digests(folder).items()}


def compare(expected: Mapping[str, str], killer: Killer, work: Workspace) -> None:
    """An AssertionError unless a run that is killed on its way ends with the `expected` files."""
    killer.lead(work)
    found = results(work)
    differ = {name for name in {**expected, **found} if expected.get(name) != found.get(name)}
    assert not differ, f"not the same after kills: {sorted(differ)}"
    left = [path for folder in OUTPUTS for path in (work.root / folder).rglob(".*")]
    left = [path for path in left if path.name != ".gitignore"]
    assert not [*left, *work.root.glob("partial/*")], f"left behind: {left}"


def main() -> None:
    kills, began = int(sys.argv[1]), time.monotonic()
    killer, runs = Killer(kills, seed=1, longest=25), 0
    with tempfile.TemporaryDirectory() as folder:
        whole = workspace(Path(folder) / "whole")
        whole.run("dvc", "repro")
        while killer.left:
            compare(results(whole), killer, workspace(Path(folder) / f"killed-{runs}"))
            runs += 1
    minutes = (time.monotonic() - began) / 60
    print(f"{kills} kills, {runs} runs, {minutes:.0f} min: nothing lost, every file the same")
    for counts in (killer.ways, killer.stages):
        print("; ".join(f"{name} {count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
