"""Description of prepared data for the report: sizes, classes, truncation, tokenizer and origin."""

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
    """Description of a task's data; `encoded` holds every split with the number of its truncated examples.

    `labels` is null; it stands for the mean and standard deviation where regression labels are standardised.
    """
    return {
        "task": task.name,
        "labels": None,
        "splits": {
            split: _split(task, examples, truncated)
            for split, (examples, truncated) in encoded.items()
        },
        "tokenizer": dict(tokenizer),
        "data": _origin(asset),
        "encoder": _origin(encoder),
    }


def _split(task: Task, examples: Examples, truncated: int) -> dict[str, Any]:
    if not len(examples):
        return {"examples": 0}
    return {
        "examples": len(examples),
        "tokens_mean": round(float(examples.lengths_N.mean()), 2),
        "tokens_max": int(examples.lengths_N.max()),
        "cut": truncated,
        **(_scores(examples) if task.regression else _classes(examples)),
    }


def _classes(examples: Examples) -> dict[str, Any]:
    counts = Counter(int(label) for label in examples.labels_N)
    return {"classes": {str(label): counts[label] for label in sorted(counts)}}


def _scores(examples: Examples) -> dict[str, Any]:
    scores = examples.labels_N.astype(np.float64)
    return {
        "score_mean": round(float(scores.mean()), 4),
        "score_std": round(float(scores.std()), 4),
    }


def _origin(folder: Path) -> dict[str, Any] | None:
    """The folder's asset.json without the fields that only extraction needs; None if there is no such file."""
    path = folder / "asset.json"
    if not path.exists():
        return None
    asset = json.loads(path.read_text(encoding="utf-8"))
    fields = ("package", "version", "sha256", "licence", "source")
    parts = [
        [{field: archive[field] for field in fields if field in archive} for archive in part]
        for part in asset["parts"]
    ]
    return {"name": asset["name"], "notes": asset["notes"], "parts": parts}
