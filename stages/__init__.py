"""What the pipeline runs. A stage that still loads, which takes two seconds, ends on request as one at work does."""

import os
import signal
import sys
from types import FrameType

STOPPED = "stopped; nothing is lost: run the same command again to continue"


def _stopped(signum: int, _frame: FrameType | None) -> None:
    os.write(sys.stderr.fileno(), f"{STOPPED}\n".encode())
    os._exit(128 + signum)


if sys.argv[0] == "-m":  # so it is until the module that `python -m` was asked for has been found
    signal.signal(signal.SIGINT, _stopped)
    signal.signal(signal.SIGTERM, _stopped)
