"""Settings of every test."""

import os

from hypothesis import settings

# Before torch is imported: the tests run side by side with other things and on few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test goes to the hub.
os.environ["HF_HUB_OFFLINE"] = "1"

# Machines differ in speed, and a failure must come back when the tests are run again.
settings.register_profile("lottery", deadline=None, derandomize=True)
settings.load_profile("lottery")

pytest_plugins = ["tests.toy_run"]
