"""Folders of fetched files: whose they are (asset.json), and their size."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def describe(
    folder: Path,
    name: str,
    licence: str,
    source: str,
    notes: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write asset.json, from which the report says where the files come from, on which terms, and further facts."""
    parts = [[{"package": name, "licence": licence, "source": source}]]
    about = {"name": name, "parts": parts, "notes": notes, **(facts or {})}
    text = json.dumps(about, indent=2)
    (folder / "asset.json").write_text(text + "\n", encoding="utf-8")


def add_notes(folder: Path, notes: Sequence[str]) -> None:
    """Append notes to those in the asset.json of a folder."""
    path = folder / "asset.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["notes"] += notes
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def size(folder: Path) -> str:
    """Number and size of the files in a folder, in words."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"
