"""Stages of the pipeline. Before one is imported, Ctrl-C stops it as it stops a running one, and help is shown."""

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
    if "--help" in sys.argv and "-m" in sys.orig_argv:
        from stages.shell import declared

        declared.show_help(sys.orig_argv[sys.orig_argv.index("-m") + 1])
