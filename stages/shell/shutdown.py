"""End a program early: on Ctrl-C or SIGTERM, or when what runs it is gone.

DVC that is killed leaves its stage running, which would then write while the next run does.
"""

import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from stages import STOPPED

RUNNER = "LOTTERY_RUNNER"
"""Environment variable with the process that runs this one and is not called DVC."""


def prepare() -> None:
    """End this process on Ctrl-C, on SIGTERM, and when the process that runs it ends, such as DVC."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _stop)
    if _is_orphan():
        os._exit(1)
    if runner := _runner():
        threading.Thread(target=_end_with, args=(runner,), daemon=True).start()


def end_with(pid: int) -> None:
    """End this process when the process `pid` ends."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        os._exit(1)
    threading.Thread(target=_end_with, args=(process,), daemon=True).start()


def _runner() -> psutil.Process | None:
    """The nearest ancestor that the environment names or, in a stage, that is DVC; None if there is none."""
    named, in_stage = os.environ.get(RUNNER), "DVC_STAGE" in os.environ
    for process in _ancestors() if named or in_stage else ():
        if str(process.pid) == named or (in_stage and _is_dvc(process)):
            return process
    return None


def _is_orphan() -> bool:
    """True if what ran this process ended before it could be watched: it loads libraries for seconds."""
    if named := os.environ.get(RUNNER):
        return not psutil.pid_exists(int(named))
    return "DVC_STAGE" in os.environ and os.getppid() == 1 and not _is_dvc(psutil.Process(1))


def _ancestors() -> list[psutil.Process]:
    ancestors: list[psutil.Process] = psutil.Process().parents()
    return ancestors


def _is_dvc(process: psutil.Process) -> bool:
    try:
        return any(Path(word).name == "dvc" for word in process.cmdline()[:3])
    except psutil.Error:
        return False


def _end_with(process: psutil.Process) -> None:
    process.wait()
    _end_children()
    os._exit(1)


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    _end_children()  # or leaving the pool would wait for its running jobs
    print(STOPPED, file=sys.stderr)
    sys.exit(128 + signum)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
