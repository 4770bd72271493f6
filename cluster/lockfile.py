"""The state of the pipeline on the head: dvc.lock, to which every cell adds its entry when it comes in."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dumps_yaml, load_yaml

from cluster.dag import Graph


class Lockfile:
    """dvc.lock, held in memory and written whole, so that a crash leaves the old one or the new one."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        read: dict[str, Any] = load_yaml(lock) if lock.exists() else {"schema": "2.0"}
        self._schema = read["schema"]
        self._entries: dict[str, Any] = read.get("stages", {})

    def part(self, names: Collection[str]) -> str:
        """A dvc.lock of these cells alone: a short one is quickly read."""
        return self._text({name: self._entries[name] for name in names if name in self._entries})

    def merge(self, name: str, entry: Mapping[str, Any], cells: Graph) -> None:
        """Take over the entry of a cell; where it is new, those of the cells behind it hold no longer."""
        if self._entries.get(name) == entry:
            return
        for later in cells.behind(name):
            self._entries.pop(later, None)
        self._entries[name] = dict(entry)
        draft = self._lock.with_name(f".{os.getpid()}.{self._lock.name}")
        draft.write_text(self._text(self._entries), encoding="utf-8")
        draft.replace(self._lock)

    def _text(self, entries: Mapping[str, Any]) -> str:
        text: str = dumps_yaml({"schema": self._schema, "stages": dict(entries)})
        return text
