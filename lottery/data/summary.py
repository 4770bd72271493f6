"""What a report must say about prepared data: sizes, balance, cuts, tokenizer, origin."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lottery.data.examples import Examples
from lottery.tasks import Task


def describe(
    task: Task,
    encoded: Mapping[str, tuple[Examples, int]],
    tokenizer: Mapping[str, str | int],
    asset: Path,
    encoder: Path,
) -> dict[str, Any]:
    """A description of a task's data; `encoded` holds each split and how many of its examples were cut.

    `labels` is the mean and std that regression labels were standardised by, else null.
    """
    return {
        "task": task.name,
        "labels": None,
        "splits": {split: _split(task, *each) for split, each in encoded.items()},
        "tokenizer": dict(tokenizer),
        "data": _origin(asset),
        "encoder": _origin(encoder),
    }


def _split(task: Task, part: Examples, cut: int) -> dict[str, Any]:
    if not len(part):
        return {"examples": 0}
    return {
        "examples": len(part),
        "tokens_mean": round(float(part.lengths_N.mean()), 2),
        "tokens_max": int(part.lengths_N.max()),
        "cut": cut,
        **(_scores(part) if task.regression else _classes(part)),
    }


def _classes(part: Examples) -> dict[str, Any]:
    counts = Counter(int(label) for label in part.labels_N)
    return {"classes": {str(label): counts[label] for label in sorted(counts)}}


def _scores(part: Examples) -> dict[str, Any]:
    scores = part.labels_N.astype(np.float64)
    return {
        "score_mean": round(float(scores.mean()), 4),
        "score_std": round(float(scores.std()), 4),
    }


def _origin(folder: Path) -> dict[str, Any] | None:
    """asset.json as fetched, without what only extraction needs; null where a folder has none."""
    path = folder / "asset.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    kept = ("package", "version", "sha256", "licence", "source")
    parts = [[{k: a[k] for k in kept if k in a} for a in part] for part in found["parts"]]
    return {"name": found["name"], "notes": found["notes"], "parts": parts}
