"""dvc.lock on the head: every finished job adds its entry."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dumps_yaml, load_yaml

from cluster.dag import Graph
from stages.shell import cli


class Lockfile:
    """dvc.lock, held in memory and replaced as a whole, so that a crash leaves the old file or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content: dict[str, Any] = load_yaml(path) if path.exists() else {"schema": "2.0"}
        self._schema = content["schema"]
        self._entries: dict[str, Any] = content.get("stages", {})

    def part(self, names: Collection[str]) -> str:
        """Text of a dvc.lock with these jobs only, which DVC reads faster."""
        return self._text({name: self._entries[name] for name in names if name in self._entries})

    def merge(self, name: str, entry: Mapping[str, Any], graph: Graph) -> None:
        """Add a job's entry; if it has changed, drop the entries of the jobs that depend on it."""
        if self._entries.get(name) == entry:
            return
        for dependent in graph.dependents(name):
            self._entries.pop(dependent, None)
        self._entries[name] = dict(entry)
        with cli.fresh_file(self._path) as draft:
            draft.write_text(self._text(self._entries), encoding="utf-8")

    def _text(self, entries: Mapping[str, Any]) -> str:
        text: str = dumps_yaml({"schema": self._schema, "stages": dict(entries)})
        return text
