"""Where stages keep what they have finished while the rest is still to do.

DVC clears the outputs of a stage before it runs it again, so this lies elsewhere, in a folder named by all
that decides the result: parameters, inputs, code, versions.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from lottery.journal import Journal
from stages import cli

FOLDER = Path(os.environ.get("LOTTERY_PARTIAL", "partial"))
"""A folder that several machines share lets one of them go on where another was stopped."""


@contextmanager
def journal(out: Path, *inputs: Path) -> Iterator[Journal]:
    """What a stopped try at making `out` of the same inputs has finished; gone when all went well."""
    cell, key = FOLDER / "-".join(out.parts), _key(inputs)
    if cell.exists():
        for other in cell.iterdir():
            if other.name != key:
                shutil.rmtree(other, ignore_errors=True)
    if (cell / key).exists():
        cli.console.print("  goes on from where it was stopped", markup=False)
    yield Journal(cell / key)
    shutil.rmtree(cell, ignore_errors=True)


def _key(inputs: tuple[Path, ...]) -> str:
    """A digest of everything the result of this process can depend on."""
    found = hashlib.sha256()
    versions = {name: version(name) for name in ("torch", "numpy")}
    found.update(json.dumps([cli.parameters(), versions, platform.processor()]).encode())
    for file in [*_files(inputs), *_code()]:
        with file.open("rb") as content:
            found.update(file.name.encode())
            found.update(hashlib.file_digest(content, "sha256").digest())
    return found.hexdigest()[:32]


def _files(inputs: tuple[Path, ...]) -> Iterator[Path]:
    for path in inputs:
        yield from sorted(each for each in [path, *path.rglob("*")] if each.is_file())


def _code() -> list[Path]:
    """The files of this project that are imported."""
    return sorted(
        Path(module.__file__)
        for name, module in sys.modules.items()
        if name.split(".")[0] in {"lottery", "stages"} and module.__file__
    )
