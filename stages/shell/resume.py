"""Where stages keep what they have finished while the rest is still to do.

DVC clears the outputs of a stage before it runs it again, so this lies elsewhere, in a folder named by all
that decides the result: parameters, inputs, code, versions, instruction set.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lottery.runtime.resume import Journal
from stages.shell import cli

SHARED = os.environ.get("LOTTERY_PARTIAL")
"""A folder that several machines share lets one of them go on where another was stopped."""
FOLDER = Path(SHARED or "partial")


@contextmanager
def journal(out: Path, *inputs: Path) -> Iterator[Journal]:
    """What a stopped try at making `out` of the same inputs has finished; gone when all went well."""
    cell = FOLDER / "-".join(out.parts)
    own = cell / _key(inputs)
    if not SHARED:
        for other in set(cell.glob("*")) - {own}:
            shutil.rmtree(other, ignore_errors=True)
    if own.exists():
        cli.console.print("  goes on from where it was stopped", markup=False)
    yield Journal(own)
    shutil.rmtree(own, ignore_errors=True)
    with suppress(OSError):
        cell.rmdir()


def _key(inputs: tuple[Path, ...]) -> str:
    """A digest of everything the result of this process can depend on."""
    found = hashlib.sha256()
    versions = {name: version(name) for name in ("torch", "numpy")}
    found.update(json.dumps([cli.parameters(), versions, _machine()], sort_keys=True).encode())
    for name, file in [*_files(inputs), *_code()]:
        with file.open("rb") as content:
            found.update(name.encode())
            found.update(hashlib.file_digest(content, "sha256").digest())
    return found.hexdigest()[:32]


def _machine() -> list[Any]:
    """What decides how torch computes."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return [torch.backends.cpu.get_cpu_capability(), dict(torch.cpu.get_capabilities()), gpu]


def _files(inputs: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    for path in inputs:
        yield from sorted((str(file), file) for file in [path, *path.rglob("*")] if file.is_file())


def _code() -> list[tuple[str, Path]]:
    """The program that runs and the modules of this project that it has imported."""
    return sorted(
        (name, Path(file))
        for name, module in sys.modules.items()
        if name.split(".")[0] in {"__main__", "lottery", "stages"}
        if (file := getattr(module, "__file__", None))
    )
