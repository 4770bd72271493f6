"""Memory of processes that start from here: in huge pages, and without gaps that cannot be used again.

Training and scoring go through some hundred megabytes of weights at every step, and looking up ordinary pages of
4 KiB costs them a tenth of their time. Kernels that oneDNN keeps for every new shape lie between buffers that are
freed, and the space that they leave fits no later one; so large buffers are mapped one by one. Results do not depend
on it.
"""

import os

TUNABLES = "GLIBC_TUNABLES"
"""Environment variable that the GNU C library reads when a process starts; others ignore it."""
MAPPED = 4 * 2**20
"""Bytes from which a buffer is mapped; smaller ones are frequent, and mapping them takes a tenth of the time."""
KEPT = 256 * 2**20
"""Free bytes at the end of the heap that a process keeps."""
SETTINGS = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in {"hugetlb": 1, "mmap_threshold": MAPPED, "trim_threshold": KEPT}.items()
)


def tune_allocator() -> None:
    """Let processes that this one starts allocate so, unless the environment has settings of its own."""
    os.environ.setdefault(TUNABLES, SETTINGS)
