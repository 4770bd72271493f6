"""The processor cores that this process may use."""

import os


def usable_cores() -> int:
    """Number of cores, at least 1; fewer than the machine has if the process is bound to some of them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1
