"""Kill real runs at random moments, resume them until they finish, and compare their results with an undisturbed run.

    python -m tests.programs.kills 50

Every workspace has its own cache, so that a resumed run finds only what its killed predecessors left: outputs, the
cache, and partial results of stages.
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

from tests.workspace import ON_ONE_CORE, Workspace

OUTPUTS = (
    "data",
    "models",
    "subnetworks",
    "tickets",
    "rewound",
    "scores",
    "predictions",
    "attention",
    "reports/tables",
    "reports/figures",
)
GRACE = 60.0
"""Seconds after which no process may be left, on a busy machine either."""
PATIENCE = 2.5
"""Seconds after which a signal that was missed is sent again."""


def _kill_stage(dvc: psutil.Process) -> None:
    for child in dvc.children()[:1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _send(signum: int) -> Callable[[psutil.Process], None]:
    return lambda dvc: os.killpg(dvc.pid, signum)


def _repeated(kill: Callable[[psutil.Process], None]) -> Callable[[psutil.Process], None]:
    """Kill until DVC ends: a stage that is exiting anyway misses a signal, and DVC ignores Ctrl-C meanwhile."""

    def repeat(dvc: psutil.Process) -> None:
        for _ in range(round(GRACE / PATIENCE)):
            kill(dvc)
            with suppress(psutil.TimeoutExpired):
                dvc.wait(PATIENCE)
                return

    return repeat


METHODS: Mapping[str, Callable[[psutil.Process], None]] = {
    "SIGKILL to DVC": psutil.Process.kill,
    "SIGKILL to the stage": _repeated(_kill_stage),
    "SIGKILL to all": _send(signal.SIGKILL),
    "SIGTERM to DVC": psutil.Process.terminate,
    "Ctrl-C": _repeated(_send(signal.SIGINT)),
}


class Killer:
    """Runs the pipeline and kills it while kills are left; counts the kills by method and by stage."""

    def __init__(self, kills: int, seed: int, longest: float) -> None:
        self.left, self.longest = kills, longest
        self.methods, self.stages = Counter[str](), Counter[str]()
        self._rng = random.Random(seed)

    def finish(self, work: Workspace) -> None:
        """Repeat `lottery repro` until it finishes."""
        while not self._try(work):
            pass

    def _try(self, work: Workspace) -> bool:
        """Run once; whether it finished before it was killed."""
        with work.start(*ON_ONE_CORE, "python", "-m", "tools.app", "repro") as process:
            try:
                wait = self._rng.uniform(1, self.longest) if self.left else None
                code = process.wait(wait)
                if code:
                    raise AssertionError(f"a run failed without being killed:\n{work.said()}")
                return True
            except subprocess.TimeoutExpired:
                self._kill(psutil.Process(process.pid))
            process.wait(GRACE)
        return False

    def _kill(self, dvc: psutil.Process) -> None:
        family = dvc.children(recursive=True)
        method = self._rng.choice(sorted(METHODS))
        self.left -= 1
        self.methods[method] += 1
        self.stages[_stage_of(family)] += 1
        METHODS[method](dvc)
        _, left = psutil.wait_procs([dvc, *family], GRACE)
        alive = [process for process in left if _is_alive(process)]
        for process in alive:
            process.kill()
        assert not alive, f"{method}: still there after {GRACE:.0f} s: {alive}"


def _is_alive(process: psutil.Process) -> bool:
    """True if it runs; a zombie does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _stage_of(family: list[psutil.Process]) -> str:
    """The stage that one of DVC's processes runs."""
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
    """The smallest experiment with some parameters changed, in a folder with its own cache."""
    work = Workspace(root, "smoke", **changes)
    work.run("dvc", "config", "--local", "cache.dir", str(root / ".dvc" / "cache"))
    return work


def results(work: Workspace) -> dict[str, str]:
    """Digests of all files of a run except the report, which contains times."""
    return {name: digest for folder in OUTPUTS for name, digest in work.digests(folder).items()}


def compare(expected: Mapping[str, str], killer: Killer, work: Workspace) -> None:
    """Raise AssertionError unless a run that is killed and resumed ends with the `expected` files."""
    killer.finish(work)
    actual = results(work)
    differing = {name for name in {**expected, **actual} if expected.get(name) != actual.get(name)}
    assert not differing, f"different after kills: {sorted(differing)}"
    left = [path for folder in OUTPUTS for path in (work.root / folder).rglob(".*")]
    left = [path for path in left if path.name != ".gitignore"]
    assert not [*left, *work.root.glob("partial/*")], f"left behind: {left}"


def main() -> None:
    kills, started = int(sys.argv[1]), time.monotonic()
    killer, runs = Killer(kills, seed=1, longest=25), 0
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = workspace(Path(folder) / "undisturbed")
        undisturbed.run("dvc", "repro")
        while killer.left:
            compare(results(undisturbed), killer, workspace(Path(folder) / f"killed-{runs}"))
            runs += 1
    minutes = (time.monotonic() - started) / 60
    print(
        f"{kills} kills, {runs} runs, {minutes:.0f} min: every file is that of the undisturbed run"
    )
    for counts in (killer.methods, killer.stages):
        print("; ".join(f"{name} {count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
