"""End a stage early: on Ctrl-C or SIGTERM, or when DVC is gone.

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


def prepare() -> None:
    """End this process on Ctrl-C, on SIGTERM, and when the DVC process that runs it ends."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _stop)
    if "DVC_STAGE" in os.environ and (dvc := next(filter(_is_dvc, _ancestors()), None)):
        threading.Thread(target=_end_with, args=(dvc,), daemon=True).start()


def _ancestors() -> list[psutil.Process]:
    ancestors: list[psutil.Process] = psutil.Process().parents()
    return ancestors


def _is_dvc(process: psutil.Process) -> bool:
    try:
        return any(Path(word).name == "dvc" for word in process.cmdline()[:3])
    except psutil.Error:
        return False


def _end_with(dvc: psutil.Process) -> None:
    dvc.wait()
    _end_children()
    os._exit(1)


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    _end_children()  # or leaving the pool would wait for its running jobs
    print(STOPPED, file=sys.stderr)
    sys.exit(128 + signum)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
