"""Folders of the partial results from which a stage resumes (their format: `lottery/runtime/resume.py`).

DVC deletes the outputs of a stage before running it, so partial results lie in a folder of their own, named by
a digest of everything they depend on: parameters, inputs, code, library versions, processor.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lottery import checksum
from lottery.runtime.resume import Journal
from stages.shell import cli
from stages.shell.imports import ROOT, program

SHARED = os.environ.get("LOTTERY_PARTIAL")
"""A folder that several machines share, so that one resumes what another has begun."""
FOLDER = Path(SHARED or "partial")
LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch")
"""Packages that compute."""


@contextmanager
def journal(script: str, out: Path, *inputs: Path) -> Iterator[Journal]:
    """The journal of the stage `script` that makes `out` from `inputs`; deleted once the stage succeeds."""
    cell_folder = FOLDER / "-".join(out.parts)
    folder = cell_folder / _key(script, inputs)
    if not SHARED:  # on shared storage another machine may be at work with other inputs
        for outdated in set(cell_folder.glob("*")) - {folder}:
            shutil.rmtree(outdated, ignore_errors=True)
    if folder.exists():
        cli.console.print("  resuming from partial results", markup=False)
    yield Journal(folder)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        cell_folder.rmdir()


def _key(script: str, inputs: tuple[Path, ...]) -> str:
    """Digest of everything the result of a stage can depend on."""
    digest = hashlib.sha256()
    versions = {name: version(name) for name in LIBRARIES}
    digest.update(json.dumps([cli.parameters(), versions, _machine()], sort_keys=True).encode())
    for name, file in [*_files(inputs), *_code(script)]:
        digest.update(name.encode() + bytes.fromhex(checksum.of_file(file)))
    return digest.hexdigest()[:32]


def _machine() -> list[Any]:
    """Properties of the processor that decide which kernels torch uses."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return [torch.backends.cpu.get_cpu_capability(), dict(torch.cpu.get_capabilities()), gpu]


def _files(inputs: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Name and path of every input file, including those in input folders."""
    for path in inputs:
        yield from sorted((str(file), file) for file in [path, *path.rglob("*")] if file.is_file())


def _code(script: str) -> list[tuple[str, Path]]:
    """Name and path of the script and of every file that it imports, also of those that it has not imported yet."""
    return [(name, ROOT / name) for name in program(Path(script).relative_to(ROOT))]
