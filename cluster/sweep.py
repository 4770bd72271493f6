"""Experiments that run one after another, each in a copy of the project, and become experiments of its last commit."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import msgspec
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from hydra.errors import HydraException
from rich.markup import escape

from cluster import copies, pipeline, refs
from cluster.git import git, line
from lottery.errors import UserError, first_line
from lottery.wording import listed
from stages.shell import cli, shutdown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
GRACE = 30.0
"""Seconds in which the processes of an experiment end when they are told to."""


class Experiment(msgspec.Struct, frozen=True):
    """A name, and changes of parameters as `-S` of `dvc exp run` takes them."""

    name: str
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({' '.join(self.changes)})"

    def apply(self, parameters: Path) -> None:
        """Change a file of parameters. Raises UserError if it has no such parameter."""
        try:
            apply_overrides(parameters, list(self.changes))
        except (DvcException, HydraException) as error:
            reason = first_line(
                error.__cause__ if isinstance(error.__cause__, Exception) else error
            )
            raise UserError(f"{self}: {reason}") from None


def combinations(name: str, grid: Sequence[str]) -> list[Experiment]:
    """The experiments of a grid, numbered as by DVC. Raises UserError if a name or a list of values is malformed."""
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r}: a sweep's name has letters, digits, `-` and `_`")
    try:
        sweeps = get_hydra_sweeps({"": list(grid)})
    except (DvcException, HydraException) as error:
        reason = first_line(error)
        raise UserError(
            f"{' '.join(grid)}: {reason}; expected values such as prune.rate=0.1,0.2"
        ) from None
    return [Experiment(f"{name}-{at}", tuple(sweep[""])) for at, sweep in enumerate(sweeps, 1)]


class Sweep:
    """Runs experiments in copies below a folder. What it starts holds the lock, so that no other sweep can begin."""

    def __init__(self, project: Path, folder: Path, lock: int) -> None:
        self._source, self._folder, self._lock = copies.original(project), folder, lock
        self._numbers = count(1)

    def remaining(self, experiments: Sequence[Experiment]) -> list[Experiment]:
        """Those that are not done. Raises UserError if a parameter is unknown, or a name is taken by something else."""
        with self._copy() as copy:
            parameters = copy / cli.PARAMETERS
            before = parameters.read_bytes()
            todo, taken = list[Experiment](), list[str]()
            for experiment in experiments:
                parameters.write_bytes(before)
                experiment.apply(parameters)
                if not self._recorded(experiment):
                    todo.append(experiment)
                elif self._differs(copy, experiment):
                    taken.append(experiment.name)
        if taken:
            raise UserError(
                f"{listed(taken)}: there already, with other parameters or code; take another name for the sweep, or:"
                f" dvc exp remove {' '.join(taken)}"
            )
        return todo

    def run(self, experiment: Experiment) -> bool:
        """Run an experiment and record it. What fails or is killed runs again, as long as it finished jobs.

        Returns whether it was recorded.
        """
        reached: bytes | None = None
        while True:
            cli.console.print(f"[bold]sweep[/] {escape(str(experiment))}")
            with self._copy() as copy:
                experiment.apply(copy / cli.PARAMETERS)
                if self._repro(copy) == 0:
                    self._record(copy, experiment)
                    return True
                lock = copy / "dvc.lock"
                before, reached = reached, lock.read_bytes() if lock.exists() else b""
            if reached == before:
                return False

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        """The project in a copy of its own name: what a killed sweep left running writes to an older one."""
        shutil.rmtree(self._folder, ignore_errors=True)
        folder = self._folder / f"{os.getpid()}-{next(self._numbers)}"
        try:
            yield copies.make(self._source, folder)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _repro(self, copy: Path) -> int:
        """Exit code of `lottery repro` in a copy. Partial results lie in the project, for a later try."""
        project = self._source.folder
        variables = {
            "DVC_ROOT": str(project),
            "LOTTERY_PARTIAL": str(project / (os.environ.get("LOTTERY_PARTIAL") or "partial")),
            shutdown.RUNNER: str(os.getpid()),
        }
        command = [sys.executable, "-m", "tools.app", "repro"]
        with subprocess.Popen(
            command,
            cwd=copy,
            env=os.environ | variables,
            pass_fds=(self._lock,),
            process_group=0,
        ) as process:
            try:
                return process.wait()
            finally:
                _end(process)

    def _record(self, copy: Path, experiment: Experiment) -> None:
        """Commit the copy as an experiment, and bring it to the project."""
        with Repo(os.fspath(copy)) as repo:
            outputs = pipeline.tracked_outputs(repo)
        copies.stage(copy, outputs)
        message = f"lottery sweep: {experiment}"
        tree = line(copy, "write-tree")
        commit = line(copy, "commit-tree", tree, "-p", self._source.revision, "-m", message)
        ref = self._ref(experiment)
        git(copy, "update-ref", ref, commit)
        self._fetch(Path(line(copy, "rev-parse", "--show-toplevel")), self._source.repository, ref)

    def _recorded(self, experiment: Experiment) -> bool:
        return bool(git(self._source.folder, "for-each-ref", self._ref(experiment)))

    def _differs(self, copy: Path, experiment: Experiment) -> bool:
        """True if a copy differs from a recorded experiment in anything but outputs."""
        ref = self._ref(experiment)
        self._fetch(self._source.repository, copy, ref)
        with Repo(os.fspath(copy)) as repo:
            outputs = [f":(exclude){path}" for path in pipeline.tracked_outputs(repo)]
        return bool(git(copy, "diff", "--name-only", ref, "--", ":/", *outputs))

    def _ref(self, experiment: Experiment) -> str:
        return refs.experiment(self._source.revision, experiment.name)

    def _fetch(self, start: Path, end: Path, ref: str) -> None:
        git(end, "fetch", "--quiet", "--no-write-fetch-head", str(start), f"{ref}:{ref}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and all of its group: if it was killed, its jobs are about to notice."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    deadline = time.monotonic() + GRACE
    with suppress(ProcessLookupError):  # none is left
        while time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.01)
