"""Stages of the pipeline. A stage that is still importing stops on Ctrl-C as a running one does."""

import os
import signal
import sys
from types import FrameType

STOPPED = "stopped; nothing is lost: run the same command again to continue"


def _stopped(signum: int, _frame: FrameType | None) -> None:
    os.write(sys.stderr.fileno(), f"{STOPPED}\n".encode())
    os._exit(128 + signum)


if sys.argv[0] == "-m":  # true until `python -m` has found the module
    signal.signal(signal.SIGINT, _stopped)
    signal.signal(signal.SIGTERM, _stopped)
