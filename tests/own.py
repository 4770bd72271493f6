"""Own data in miniature: rows, and the way from their description to a corpus."""

import json
from pathlib import Path
from typing import Any

from lottery.data import own, own_rows
from lottery.data.description import TaskDescription, described_task
from lottery.data.rows import Corpus
from lottery.params import structured

ROWS = [{"text": f'film {at}, "so"', "kind": ("bad", "good")[at % 2]} for at in range(20)]
CLASSES: dict[str, Any] = {"sentence": "text", "label": "kind", "classes": ["bad", "good"]}


def fetched(folder: Path, **keys: Any) -> tuple[str, Corpus, dict[str, Any]]:
    """The result in words, the corpus and the asset of the task that these keys describe."""
    values = CLASSES | keys
    task, out = described_task("mine", values), folder / "asset"
    out.mkdir(exist_ok=True)
    said = own.fetch(task, structured(TaskDescription, "mine", values), out)
    return said, own_rows.read(task, out), json.loads((out / "asset.json").read_text("utf-8"))


def delimited(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path
