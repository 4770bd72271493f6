"""The shell around every program: command line, parameters, progress, one-line errors, complete outputs or none."""

import errno
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import psutil
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lottery import params
from lottery.data.description import described_tasks
from lottery.errors import UserError
from lottery.runtime.cores import usable_cores
from lottery.tasks import declare
from stages.shell import eta, shutdown

PARAMETERS = Path("params.yaml")
LOG, POSITION = Path("logs/stages.jsonl"), Path("logs/position.log")
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG}
"""Errors that a user can fix: a full disk, a folder without write permission."""
console = Console(soft_wrap=True, highlight=False)


def run(main: Callable[..., None]) -> NoReturn:
    """Run a function as the program: its parameters are the arguments and options of the command line."""
    execute(command(main))


def command(main: Callable[..., None]) -> Any:
    """Typer's command for a function."""
    paragraphs = (main.__doc__ or "").split("\n\n")
    summary = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    app = typer.Typer(add_completion=False)
    app.command(help=summary)(main)
    return typer.main.get_command(app)


def execute(program: Callable[..., object], name: str = "") -> NoReturn:
    """Run a command or a group of commands; a UserError or a failing disk ends it with one line and exit code 1.

    name: what usage calls it; by default as it was started.
    """
    shutdown.prepare()
    try:
        program(prog_name=name or _started_as())
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno not in DISK:
            raise
        where = error.filename or "writing"
        sys.exit(f"error: {where}: {error.strerror}; nothing is lost, fix this and run it again")
    sys.exit(0)


def _started_as() -> str:
    spec = sys.modules["__main__"].__spec__  # None for a console script
    return f"python -m {spec.name}".removesuffix(".__main__") if spec else Path(sys.argv[0]).name


def parameters() -> Mapping[str, Any]:
    """The sections of params.yaml; the own tasks that they describe are declared. Raises UserError as `read` does."""
    tree = params.read(PARAMETERS)
    declare(described_tasks(tree))
    return tree


class Stage:
    """Progress of a running stage's jobs, and its result in words."""

    def __init__(self, progress: Progress) -> None:
        self.result = "done"
        self._progress, self._bars = progress, dict[str, Any]()
        self._printed = dict[str, float]()

    def report(self, job: str, done: int, total: int) -> None:
        """Show `done` of `total` steps of a job; a total of 0 is unknown."""
        if job not in self._bars:
            self._bars[job] = self._progress.add_task(escape(job))
            self._printed[job] = time.monotonic()
        self._progress.update(self._bars[job], completed=done, total=total or None)
        if not console.is_terminal and time.monotonic() - self._printed[job] > 10:
            self._printed[job] = time.monotonic()
            console.print(f"  {job}: {done}{f' of {total}' if total else ''}", markup=False)


@contextmanager
def stage(name: str, cell: str, about: str) -> Iterator[Stage]:
    """Print what runs, its progress and its result, and append its times to the log, in seconds.

    seconds: since its process started. cpu: of all its processes. imports: CPU time of its first process until here.
    """
    imports = time.process_time()
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    where = eta.here(PARAMETERS, LOG)
    console.print(f"[bold]{name}[/] {escape(f'{cell}: {about}')}{f' ({where})' if where else ''}")
    if where:
        _append(POSITION, f"{started:%Y-%m-%d %H:%M:%S} {name} {cell}: {where}")
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        running = Stage(bars)
        yield running
    seconds = (datetime.now(UTC) - started).total_seconds()
    console.print(f"[bold]{name}[/] {escape(f'{cell}: {running.result}')} ({seconds:.1f} s)")
    entry = {"stage": name, "cell": cell, "name": eta.running()}
    times = {"seconds": seconds, "cpu": _processor_seconds(), "imports": imports}
    rounded = {name: round(value, 2) for name, value in times.items()}
    begun = {"started": started.isoformat(timespec="milliseconds")}
    _append(LOG, json.dumps(entry | begun | rounded | {"cores": usable_cores()}))


def _processor_seconds() -> float:
    """CPU time of this process and of all that it has started."""
    here, total = psutil.Process(), 0.0
    for process in (here, *here.children(recursive=True)):
        with suppress(psutil.Error):  # it may have ended: then its parent has its time
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


@contextmanager
def fresh(out: Path) -> Iterator[Path]:
    """An empty folder that replaces `out`, a folder or a link, on success and is deleted on failure.

    Raises UserError if `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: a file is there; choose another folder, or remove it")
    with _draft(out) as draft:
        draft.mkdir()
        yield draft
        for path in (draft, *draft.rglob("*")):
            _to_disk(path)
        # Aside, not away: whoever is killed between the two names has lost nothing.
        with suppress(FileNotFoundError):
            out.rename(_beside(out, os.getpid(), "-old"))
        draft.rename(out)
        _to_disk(out.parent)


@contextmanager
def fresh_file(out: Path) -> Iterator[Path]:
    """Path of a file that replaces `out` on success and is deleted on failure.

    Raises UserError if `out` is a folder.
    """
    if out.is_dir():
        raise UserError(f"{out}: a folder is there; choose another file, or remove it")
    with _draft(out) as draft:
        yield draft
        _to_disk(draft)
        draft.replace(out)
        _to_disk(out.parent)


@contextmanager
def _draft(out: Path) -> Iterator[Path]:
    """A path beside `out`; what killed processes have left there is cleared."""
    out.parent.mkdir(parents=True, exist_ok=True)
    left = re.compile(rf"\.(\d+)(-old)?\.{re.escape(out.name)}")
    processes = {
        int(match[1]) for path in out.parent.iterdir() if (match := left.fullmatch(path.name))
    }
    for process in processes:
        if process == os.getpid() or not psutil.pid_exists(process):
            _clear(out, process)
    try:
        yield _beside(out, os.getpid())
    finally:
        _clear(out, os.getpid())


def _beside(out: Path, process: int, suffix: str = "") -> Path:
    return out.with_name(f".{process}{suffix}.{out.name}")


def _clear(out: Path, process: int) -> None:
    """Delete what a process has beside `out`, but put what it has put aside back in its place if that is empty."""
    aside = _beside(out, process, "-old")
    if os.path.lexists(aside) and not os.path.lexists(out):
        aside.rename(out)
    for path in (aside, _beside(out, process)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")
