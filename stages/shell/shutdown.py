"""How a stage ends before its work does: on request, or because DVC is gone.

DVC killed outright leaves its stage running, which would go on writing beside the next run.
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
    """End on Ctrl-C, on SIGTERM, and when the DVC that runs this process ends."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _stopped)
    if "DVC_STAGE" in os.environ and (above := next(filter(_is_dvc, _ancestors()), None)):
        threading.Thread(target=_follow, args=(above,), daemon=True).start()


def _ancestors() -> list[psutil.Process]:
    above: list[psutil.Process] = psutil.Process().parents()
    return above


def _is_dvc(process: psutil.Process) -> bool:
    try:
        return any(Path(word).name == "dvc" for word in process.cmdline()[:3])
    except psutil.Error:
        return False


def _follow(above: psutil.Process) -> None:
    above.wait()
    _end_children()
    os._exit(1)


def _stopped(signum: int, _frame: FrameType | None) -> NoReturn:
    _end_children()  # or the pool would wait for its jobs to end
    print(STOPPED, file=sys.stderr)
    sys.exit(128 + signum)


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
