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

SLOW = {
    "anywhere", "artifacts", "bench", "browser", "bundle", "charts", "cluster", "compare", "container",
    "determinism", "dispatch", "distribute", "environment", "experiments", "export", "family_run",
    "glue_run", "gpu_check", "learning_curves", "outdated", "own_report", "own_tasks", "pipeline", "places", "privacy",
    "prose", "replaced_export", "report", "repro", "rewinding", "scored", "scoring", "shell", "speed", "speed_section",
    "sweep", "third_method", "trace", "verdicts", "verification", "verify",
}  # fmt: skip
"""Files whose tests run stages, programs, or the analysis of a whole run, by what follows `test_`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what is listed as slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    slow = collection_path.stem.removeprefix("test_") in SLOW
    return True if slow and config.getoption("quick") else None
