"""Provenance of a report: revision, pipeline state, versions, machine, time spent."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.analysis.claims import claims_hash
from lottery.errors import MALFORMED, UserError
from lottery.runtime.cores import usable_cores
from lottery.wording import counted

PACKAGES = (
    "torch", "numpy", "scipy", "pandas", "matplotlib", "transformers", "tokenizers", "safetensors", "dvc",
)  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """Time of the executed instances of one stage, in seconds: wall time, in sum and of the longest; cores' time.

    core_seconds: wall time times the cores that each instance could use; None if the log does not have it.
    """

    stage: str
    instances: int
    seconds: float
    longest: float
    core_seconds: float | None = None


@dataclass(frozen=True)
class Provenance:
    """Code, pipeline state, versions and machine that made a report, and times of its stages; None if unknown.

    claims: SHA-256 of the claims as the code fixes them before a run.
    """

    revision: str | None
    changed: bool
    lock: str | None
    versions: Mapping[str, str]
    machine: str
    spent: Sequence[Spent]
    claims: str | None = None


def gather(lock: Path, log: Sequence[Mapping[str, Any]], cells: Collection[str]) -> Provenance:
    """The provenance of a report written now; what is missing is None or left out.

    lock: the state of the pipeline. log: entries of the stages that ran, oldest first. cells: names of the stages'
    instances, as DVC gives them.
    """
    revision = _git("rev-parse", "HEAD")
    return Provenance(
        revision=revision,
        changed=bool(
            _git(
                "status", "--porcelain", "--untracked-files=no", "--", ".", ":!reports", f":!{lock}"
            )
        ),
        lock=digest(lock),
        versions={"Python": platform.python_version()} | _versions(),
        machine=machine(),
        spent=spent(log, cells),
        claims=claims_hash(),
    )


def save(origin: Provenance, path: Path) -> None:
    """Write a provenance as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(origin)) + b"\n")


def load(path: Path) -> Provenance:
    """The provenance in a file that `save` wrote. Raises UserError if there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Provenance)
    except MALFORMED as error:
        raise UserError(
            f"{path}: no provenance of a report ({error}); write the report again"
        ) from None


def digest(lock: Path) -> str | None:
    """SHA-256 over the stages of dvc.lock except `report`, as JSON with sorted keys; None without a lock.

    The report cannot hold the hash of a file that holds the hash of the report.
    """
    try:
        stages = YAML(typ="safe", pure=True).load(lock.read_text(encoding="utf-8"))["stages"]
    except (YAMLError, *MALFORMED):
        return None
    rest = {name: stage for name, stage in stages.items() if name != "report"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def spent(log: Sequence[Mapping[str, Any]], cells: Collection[str]) -> list[Spent]:
    """Per stage, the last recorded execution of each of its `cells`, as DVC names them, in order of execution."""
    last: dict[str, Mapping[str, Any]] = {}
    for entry in log:
        if entry["name"] in cells and entry["name"] != "report":
            last.pop(entry["name"], None)
            last[entry["name"]] = entry
    by_stage = defaultdict[str, list[Mapping[str, Any]]](list)
    for entry in last.values():
        by_stage[entry["stage"]].append(entry)
    return [_spent(stage, entries) for stage, entries in by_stage.items()]


def _spent(stage: str, entries: Sequence[Mapping[str, Any]]) -> Spent:
    seconds = [entry["seconds"] for entry in entries]
    occupied = [entry["seconds"] * entry["cores"] for entry in entries if "cores" in entry]
    whole = len(occupied) == len(entries)
    return Spent(stage, len(entries), sum(seconds), max(seconds), sum(occupied) if whole else None)


def core_hours(times: Sequence[Spent]) -> float | None:
    """Core-hours that a run occupied; None if some stage has not recorded its cores."""
    occupied = [stage.core_seconds for stage in times if stage.core_seconds is not None]
    return sum(occupied) / 3600 if occupied and len(occupied) == len(times) else None


def _git(*arguments: str) -> str | None:
    """Output of a git command; None if there is no repository or no git."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def machine() -> str:
    """Processor, cores, memory, system, and whether the processor has bfloat16."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    support = "with" if "avx512_bf16" in _cpuinfo("flags").split() else "without"
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    return f"{name}, {support} bfloat16, {counted(usable_cores(), 'usable core')}, {memory:.0f} GiB of memory, {system}"


def _cpuinfo(key: str) -> str:
    """A property of the first processor, as Linux states it; nothing on other systems."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
