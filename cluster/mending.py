"""Files that a killed DVC left half written: its table of running commands, and dvc.lock.

DVC writes both in place. Cut off, they end every later command, by "JSON structure is corrupted" (treeverse/dvc#7615)
or "YAML file structure is corrupted".
"""

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from dvc.lock import LockError, make_lock
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import YAMLFileCorruptedError, parse_yaml
from voluptuous import Invalid

from stages.shell import cli

BEGINNING = "schema: '2.0'\nstages:\n"
ENTRY = re.compile(r"^  \S.*:$", re.MULTILINE)
"""The first line of a job's entry in dvc.lock."""


def mend(root: Path) -> None:
    """Remove the table if it cannot be read, and what is cut off at the end of dvc.lock.

    The job whose entry is lost, and those behind it, are looked up in DVC's cache, where their results are. Files that
    a running DVC writes are left alone.
    """
    scratch = root / ".dvc" / "tmp"
    if not scratch.is_dir():
        return
    with suppress(LockError), make_lock(os.fspath(scratch / "rwlock.lock")):
        _mend_table(scratch / "rwlock")
    with suppress(LockError), make_lock(os.fspath(scratch / "lock")):
        _mend_lockfile(root / "dvc.lock")


def _mend_table(table: Path) -> None:
    try:
        json.loads(table.read_bytes())
    except FileNotFoundError:
        return
    except ValueError:
        table.unlink()


def _mend_lockfile(lockfile: Path) -> None:
    """Drop the last entry if the file is no dvc.lock with it, but one without; a conflict of git stays."""
    if not lockfile.exists():
        return
    content = lockfile.read_bytes()
    if _is_whole(content):
        return
    text = content.decode(errors="replace")  # it may end within a letter
    entries = [match.start() for match in ENTRY.finditer(text)]
    kept = text[: entries[-1] if entries else len(BEGINNING)]
    if BEGINNING.startswith(kept):
        lockfile.unlink()
    elif _is_whole(kept.encode()):
        with cli.fresh_file(lockfile) as draft:
            draft.write_text(kept, encoding="utf-8")


def _is_whole(content: bytes) -> bool:
    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode(), "dvc.lock"))
    except (UnicodeDecodeError, YAMLFileCorruptedError, Invalid):
        return False
    return True
