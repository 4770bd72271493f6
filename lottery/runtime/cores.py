"""The processor cores that this process may use."""

import os


def usable_cores() -> int:
    """Number of cores, at least 1; fewer than the machine has if the process is bound to some of them.

    It may change while the process runs: another one can bind it to more cores, or to fewer.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return len(os.sched_getaffinity(os.getpid()))  # those of the main thread, whichever asks
