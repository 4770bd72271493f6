"""Files against the hashes that the pipeline's lock recorded when they were made."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.errors import UserError


def outputs(lock: Path, cells: Collection[str]) -> Iterator[str | None]:
    """Every output of `cells` holds the bytes that were recorded; what is wrong with it, or None.

    The lock also remembers cells that the pipeline no longer has: they are left out.
    """
    for stage, known in _stages(lock).items():
        for out in known.get("outs", ()) if stage in cells else ():
            path = lock.parent / out["path"]
            same = digest(path) == out["md5"]
            yield None if same else f"{out['path']}: not what `{stage}` made"


def digest(path: Path) -> str | None:
    """MD5 of a file, or of the list of a folder's files as DVC writes it; None where nothing is."""
    if not path.is_dir():
        return _md5(path.read_bytes()) if path.is_file() else None
    files = [file for file in path.rglob("*") if file.is_file()]
    return listing({file.relative_to(path).as_posix(): _md5(file.read_bytes()) for file in files})


def listing(files: Mapping[str, str]) -> str:
    """The hash of a folder that holds these files, by their paths in it and their MD5."""
    names = sorted(files, key=lambda name: name.split("/"))
    listed = [{"md5": files[name], "relpath": name} for name in names]
    return f"{_md5(json.dumps(listed).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _stages(lock: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = YAML(typ="safe").load(lock.read_text("utf-8"))["stages"]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{lock}: no record of a run: {' '.join(str(error).split())}") from None
    return found
