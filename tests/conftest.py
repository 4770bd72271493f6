"""Settings of every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before torch is imported: the tests run side by side with other things and on few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test goes to the hub.
os.environ["HF_HUB_OFFLINE"] = "1"
# A make that a test runs prints as from a shell, also when make runs the tests.
for variable in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(variable, None)

# Machines differ in speed, and a failure must come back when the tests are run again.
settings.register_profile("lottery", deadline=None, derandomize=True)
settings.load_profile("lottery")

pytest_plugins = ["tests.toy_run"]

SLOW = (
    "pipeline", "glue_run", "sweep", "cluster", "dispatch", "determinism", "environment",
    "third_method", "report", "charts", "anywhere", "export", "repro", "verify", "privacy",
    "outdated", "bundle", "family_run", "speed", "compare", "gpu_check", "bench", "scoring",
    "shell", "own_report", "speed_section", "browser", "prose", "scored", "verdicts",
    "verification", "trace", "places", "rewinding", "parts_report", "artifacts", "distribute",
    "container", "experiments", "interpolation", "learning_curves", "own_tasks", "replaced_export", "draws",
)  # fmt: skip
"""Files whose tests run stages, programs, or the analysis of a whole run, by what follows `test_`, the longest first.

`cluster` begins when `pipeline` has filled the cache with its cells.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what is listed as slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if _rank(collection_path) < len(SLOW) and config.getoption("quick") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that all workers end at the same time."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    """The place of a file in SLOW; behind all of them if it is not there."""
    name = path.stem.removeprefix("test_")
    return SLOW.index(name) if name in SLOW else len(SLOW)
