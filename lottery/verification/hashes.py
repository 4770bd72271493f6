"""Outputs compared with the hashes that the pipeline's lock file recorded."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.errors import MALFORMED, UserError


class File(msgspec.Struct, frozen=True):
    """A file or folder with the hash that the lock file records."""

    path: str
    md5: str


class Job(msgspec.Struct, frozen=True):
    """A job that has run: its inputs, its outputs, and its parameters by file and name, such as `grid.shares`."""

    deps: tuple[File, ...] = ()
    outs: tuple[File, ...] = ()
    params: Mapping[str, dict[str, Any]] = {}


def outputs(
    lock: Path,
    names: Collection[str],
    parameters: Mapping[str, Any],
    chosen: Callable[[str], bool] | None = None,
) -> Iterator[str | None]:
    """Compare the lock file, and all outputs or those chosen by path, with a finished run of the jobs of these names.

    Yields None for an output with its recorded hash, else what is wrong; also for a job that has not run, or not with
    these parameters, or not with the inputs that other jobs have made. The lock file also lists jobs that the pipeline
    no longer has; they are skipped.
    """
    jobs = _jobs(lock)
    made = {out.path: out.md5 for name in names if name in jobs for out in jobs[name].outs}
    for name in names:
        if name not in jobs:
            yield f"{lock}: `{name}` has not run"
            continue
        for key, value in chain.from_iterable(map(dict.items, jobs[name].params.values())):
            if _value(parameters, key) != value:
                yield f"`{name}` ran with another value of `{key}`"
        for dep in jobs[name].deps:
            if made.get(dep.path, dep.md5) != dep.md5:
                yield f"{dep.path}: `{name}` ran before it was made anew"
        for out in jobs[name].outs:
            if chosen is None or chosen(out.path):
                yield _difference(name, out, lock.parent)


def recorded(lock: Path, names: Collection[str]) -> list[str]:
    """Paths of all outputs of the jobs of these names. Raises UserError if the file records no run."""
    return [out.path for name, job in _jobs(lock).items() if name in names for out in job.outs]


def _value(parameters: Mapping[str, Any], key: str) -> Any:
    """The value of a parameter by its dotted name; None if there is none."""
    value: Any = parameters
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _difference(name: str, out: File, folder: Path) -> str | None:
    """None if the output of a job below `folder` is the recorded one, else what is wrong."""
    same = digest(folder / out.path) == out.md5
    return None if same else f"{out.path}: not what `{name}` made"


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


def _jobs(lock: Path) -> dict[str, Job]:
    """The jobs of a lock file by name. Raises UserError if it is none."""
    try:
        stages = YAML(typ="safe").load(lock.read_text("utf-8"))["stages"]
        return msgspec.convert(stages, dict[str, Job])
    except (YAMLError, *MALFORMED) as error:
        raise UserError(f"{lock}: no record of a run: {' '.join(str(error).split())}") from None
