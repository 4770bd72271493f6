"""A copy of the working tree as a repository of its own, in which the real pipeline can run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lottery import params
from tests.project import ROOT, tracked

LONG = 1200
"""Seconds after which a command hangs."""
CACHE = ROOT / ".dvc" / "cache"
_CORES = sorted(os.sched_getaffinity(0))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ON_ONE_CORE = ("taskset", "--cpu-list", str(_CORES[_WORKER % len(_CORES)]))
"""Before a command that runs stages: on two cores each would start a process that loads torch for seconds of work."""


def _environment() -> dict[str, str]:
    """That of this process, with the pipeline's python first on PATH and somebody who commits."""
    here = Path(sys.executable).parent
    return os.environ | {
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "GIT_AUTHOR_NAME": "tests", "GIT_AUTHOR_EMAIL": "tests@localhost",
        "GIT_COMMITTER_NAME": "tests", "GIT_COMMITTER_EMAIL": "tests@localhost",
    }  # fmt: skip


class Repository:
    """A git repository in which commands run, the pipeline's python first on PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, fails: bool = False) -> str:
        """The output of a command."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG,
        )
        output = done.stdout + done.stderr
        assert bool(done.returncode) == fails, output
        return output

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """The command as a process group of its own, while it runs; `said` is what it printed."""
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _log(self) -> Path:
        return self.root.with_suffix(".log")

    def init(self, config: str = "") -> None:
        """Make it a repository of git and of DVC: what `dvc init` writes, without loading DVC."""
        self.run("git", "init", "-q")
        self.init_dvc(config)

    def init_dvc(self, config: str = "") -> None:
        """Make it a DVC project inside a git repository."""
        (folder := self.root / ".dvc").mkdir()
        (folder / "config").write_text(config, encoding="utf-8")
        (folder / ".gitignore").write_text("/config.local\n/tmp\n/cache\n", encoding="utf-8")
        (self.root / ".dvcignore").touch()

    def commit(self, message: str) -> None:
        """Everything there is."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", message)


class Workspace(Repository):
    """The project in another folder: its parameters changed, its commands run, its log read."""

    def __init__(self, root: Path, profile: str, **changes: Any) -> None:
        super().__init__(root)
        for path in tracked():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, root / path)
        shutil.rmtree(root / "reports", ignore_errors=True)
        (root / "dvc.lock").unlink(missing_ok=True)
        shutil.copy2(ROOT / "profiles" / f"{profile}.yaml", root / "params.yaml")
        self.change(**changes)
        self.run("git", "init", "-q")
        self.commit("start")
        self.run("dvc", "config", "--local", "cache.dir", str(CACHE))

    def change(self, **changes: Any) -> None:
        """Set parameters by section and key: `change(prune={"rate": 0.2})`."""
        tree = {name: dict(keys) for name, keys in params.read(self.root / "params.yaml").items()}
        for section, keys in changes.items():
            tree[section] |= keys
        YAML(typ="safe", pure=True).dump(tree, self.root / "params.yaml")

    def executed(self) -> Counter[str]:
        """Number of jobs of each stage that ran since the last call."""
        log = self.root / "logs" / "stages.jsonl"
        if not log.exists():
            return Counter()
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        log.unlink()
        return Counter(entry["stage"] for entry in entries)

    def digests(self, folder: str) -> dict[str, str]:
        """The content of every file below a folder, by name."""
        return {f"{folder}/{name}": found for name, found in digests(self.root / folder).items()}


def digests(folder: Path) -> dict[str, str]:
    """The content of every file below a folder, by its name there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
