"""Failures of the environment: a full disk, read-only folders, no network, no git, the wrong Python.

Each ends with one line and an exit code, loses nothing, and the next run succeeds once it is fixed.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.workspace import ON_ONE_CORE, Workspace

DATA, ENCODER, MODEL, TICKETS = "data/rte/1", "encoder", "models/rte/1", "subnetworks/rte/1"
SCORES = ("scores/rte/1/1.parquet", "predictions/rte/1/1.parquet")
SUPER = ("scores/rte/1/super.parquet", "predictions/rte/1/super.parquet")
STAGES = {
    "finetune": (DATA, ENCODER, MODEL),
    "prune": (DATA, ENCODER, MODEL, TICKETS),
    "retrain": ("1", DATA, ENCODER, MODEL, TICKETS, *SCORES, "tickets/rte/1/1"),
    "super_survivors": (DATA, ENCODER, MODEL, "subnetworks/rte", *SUPER),
}
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
"""Takes from root the right to ignore file permissions."""
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""Bytecode is not written, as Python leaves half a file on a full disk."""


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Iterator[Path]:
    """A finished toy run without its logs and partial results."""
    root = tmp_path / "run"
    shutil.copytree(finished_run, root, ignore=shutil.ignore_patterns("logs", "partial"))
    yield root
    for folder in [root, *root.rglob("*/")]:
        folder.chmod(0o755)


def python(
    root: Path, *words: str, before: tuple[str, ...] = (), prepare: Callable[[], None] | None = None
) -> tuple[int, list[str]]:
    """Exit code and stderr lines of `python -m` with these words, run in `root`."""
    done = subprocess.run(
        [*before, sys.executable, "-m", *words],
        cwd=root,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepare,
    )
    return done.returncode, done.stderr.splitlines()


def contents(root: Path) -> dict[Path, bytes]:
    """All files but logs and partial results, which grow by whole entries."""
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in {"logs", "partial"}
    }


def bound() -> tuple[str, ...]:
    if os.getuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("running as root without setpriv to drop capabilities")
    return BOUND


@pytest.mark.parametrize(
    ("stage", "limit"),
    [
        ("finetune", 200),
        ("finetune", 9_000),
        ("prune", 600),
        ("retrain", 300),
        ("super_survivors", 300),
    ],
)
def test_full_disk(run: Path, stage: str, limit: int) -> None:
    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    before, command = contents(run), (f"stages.{stage}", "rte", "1", *STAGES[stage])
    code, errors = python(run, *command, before=ON_ONE_CORE, prepare=fill)
    assert code == 1
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert "nothing is lost" in errors[0]
    assert contents(run) == before
    assert python(run, *command, before=ON_ONE_CORE) == (0, [])
    assert contents(run) == before


@pytest.mark.parametrize("stage", STAGES)
def test_read_only_folder(run: Path, stage: str) -> None:
    before, command = contents(run), (f"stages.{stage}", "rte", "1", *STAGES[stage])
    (run / command[-1]).parent.chmod(0o555)
    code, errors = python(run, *command, before=(*ON_ONE_CORE, *bound()))
    assert code == 1
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert "Permission denied; nothing is lost" in errors[0]
    assert contents(run) == before


def test_read_only_cache(tmp_path: Path) -> None:
    work, cache = Workspace(tmp_path / "work", "smoke"), tmp_path / "cache"
    cache.mkdir(mode=0o555)
    work.run("dvc", "config", "--local", "cache.dir", str(cache))
    output = work.run(*bound(), "dvc", "repro", "check", fails=True)
    assert "Permission denied" in output
    assert "Traceback" not in output
    cache.chmod(0o755)
    work.run("dvc", "repro", "check")
    assert list(cache.rglob("files/md5/*/*"))


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "profiles" / "smoke.yaml", tmp_path / "params.yaml")
    for key, value in {"INDEX_URL": "http://me:Secret@127.0.0.1:9/", "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    for key in ("EXTRA_INDEX_URL", "FIND_LINKS", "CONFIG_FILE"):
        monkeypatch.setenv(f"PIP_{key}", os.devnull if key == "CONFIG_FILE" else "")
    code, errors = python(tmp_path, "stages.fetch", "sst2", "data/assets/sst2")
    assert code == 1
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert "Secret" not in errors[0]
    assert not (tmp_path / "data" / "assets" / "sst2").exists()
    assert not list((tmp_path / "data" / "assets").iterdir())


def test_no_git(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(
        ["make", "repro", "--old-file=setup"],
        cwd=tmp_path,
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: DVC needs a git repository; ")
    assert all(line.startswith("make") for line in rest)
    assert done.returncode


@pytest.mark.parametrize("installed", [True, False], ids=["old", "none"])
def test_wrong_python(tmp_path: Path, installed: bool) -> None:
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.9"
    if installed:
        old.write_text('#!/bin/sh\ncase "$1" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac\n')
        old.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: Python 3.11 or newer is required")
    assert not installed or "Python 3.9.2" in first
    assert all(line.startswith("make") for line in rest)
    assert done.returncode
    assert not (tmp_path / ".venv").exists()
