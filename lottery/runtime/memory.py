"""Memory in huge pages, for processes that start from here.

Training and scoring go through some hundred megabytes of weights at every step, and looking up ordinary pages of
4 KiB costs them a tenth of their time. Results do not depend on it.
"""

import os

TUNABLES = "GLIBC_TUNABLES"
"""Environment variable that the GNU C library reads when a process starts; others ignore it."""


def use_huge_pages() -> None:
    """Let processes that this one starts ask the kernel for huge pages, unless the environment has its own settings."""
    os.environ.setdefault(TUNABLES, "glibc.malloc.hugetlb=1")
