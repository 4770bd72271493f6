"""Files against the hashes that the pipeline's lock recorded when they were made."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.faults import Fault
from lottery.grid import Grid


def outputs(lock: Path, grid: Grid) -> Iterator[str | None]:
    """Every output holds the bytes that were recorded; what is wrong with it, or None.

    The lock also remembers cells that the grid no longer has: they are left out.
    """
    seeded = {f"{task}-{seed}" for task, seed in grid.cells}
    shared = {f"{cell}-{share}" for cell in seeded for share in grid.shares}
    cells = {*grid.tasks, *seeded, *shared}
    for stage, known in _stages(lock).items():
        _, at, cell = stage.partition("@")
        for out in known.get("outs", ()) if not at or cell in cells else ():
            path = lock.parent / out["path"]
            same = digest(path) == out["md5"]
            yield None if same else f"{out['path']}: not what `{stage}` made"


def digest(path: Path) -> str | None:
    """MD5 of a file, or of the list of a folder's files as DVC writes it; None where nothing is."""
    if not path.is_dir():
        return _md5(path.read_bytes()) if path.is_file() else None
    files = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
    listed = [
        {"md5": _md5((path / file).read_bytes()), "relpath": file.as_posix()} for file in files
    ]
    return f"{_md5(json.dumps(listed).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _stages(lock: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = YAML(typ="safe").load(lock.read_text("utf-8"))["stages"]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as error:
        raise Fault(f"{lock}: no record of a run: {' '.join(str(error).split())}") from None
    return found
