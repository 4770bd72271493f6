"""Outputs compared with the hashes that the pipeline's lock file recorded."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.errors import UserError


class Output(msgspec.Struct, frozen=True):
    """An output that the lock file records: its stage, its path, its hash."""

    stage: str
    path: str
    md5: str


def outputs(lock: Path, cells: Collection[str]) -> Iterator[str | None]:
    """Compare every output of `cells` with its recorded hash: None if they agree, else what is wrong.

    The lock file also lists cells that the pipeline no longer has; they are skipped.
    """
    for out in recorded(lock, cells):
        yield differing(out, lock.parent)


def recorded(lock: Path, cells: Collection[str]) -> Iterator[Output]:
    """Every output of `cells` that the lock file records. Raises UserError if it records none."""
    for stage, record in _stages(lock).items():
        for out in record.get("outs", ()) if stage in cells else ():
            yield Output(stage, out["path"], out["md5"])


def differing(out: Output, folder: Path) -> str | None:
    """None if the output below `folder` is the recorded one, else what is wrong."""
    same = digest(folder / out.path) == out.md5
    return None if same else f"{out.path}: not what `{out.stage}` made"


def digest(path: Path) -> str | None:
    """MD5 of a file, or DVC's hash of a folder; None if there is neither."""
    if not path.is_dir():
        return _md5(path.read_bytes()) if path.is_file() else None
    files = [file for file in path.rglob("*") if file.is_file()]
    return listing({file.relative_to(path).as_posix(): _md5(file.read_bytes()) for file in files})


def listing(files: Mapping[str, str]) -> str:
    """DVC's hash of a folder, from the paths and MD5 hashes of its files."""
    names = sorted(files, key=lambda name: name.split("/"))
    entries = [{"md5": files[name], "relpath": name} for name in names]
    return f"{_md5(json.dumps(entries).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _stages(lock: Path) -> Mapping[str, Any]:
    try:
        stages: Mapping[str, Any] = YAML(typ="safe").load(lock.read_text("utf-8"))["stages"]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{lock}: no record of a run: {' '.join(str(error).split())}") from None
    return stages
