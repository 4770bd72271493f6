"""Summary of prepared data for the report: sizes, classes, truncation, tokenizer and origin."""

import json
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from safetensors import safe_open

from lottery.data.examples import Examples
from lottery.data.tokenizer import Encoded
from lottery.tasks import Task


def describe(
    task: Task,
    draws: Sequence[Mapping[str, Encoded]],
    labels: Mapping[str, float] | None,
    tokenizer: Mapping[str, str | int],
    asset: Path,
    encoder: Path,
) -> dict[str, Any]:
    """Description of a task's data; `draws` holds the splits of every seed.

    labels: mean and standard deviation of regression labels before they were standardised, None if they were not.
    Numbers of splits are means over seeds where they differ.
    """
    splits = [{split: _split(task, *encoded) for split, encoded in draw.items()} for draw in draws]
    return {
        "task": task.name,
        "seeds": len(draws),
        "labels": labels,
        "splits": {split: _mean([draw[split] for draw in splits]) for split in splits[0]},
        "tokenizer": dict(tokenizer),
        "data": _origin(asset),
        "encoder": _origin(encoder),
        "parameters": _parameters(encoder),
    }


def _split(task: Task, examples: Examples, truncated: int) -> dict[str, Any]:
    if not len(examples):
        return {"examples": 0}
    lengths = {
        "examples": len(examples),
        "tokens_mean": float(examples.lengths_N.mean()),
        "tokens_max": int(examples.lengths_N.max()),
        "cut": truncated,
    }
    if task.regression:
        return lengths
    labels = len({*task.label_of_class(examples.split)})
    counts = np.bincount(examples.labels_N.astype(int), minlength=labels)
    return lengths | {"classes": {str(label): count for label, count in enumerate(counts.tolist())}}


def _mean(descriptions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of every number; counts stay whole."""
    first, mean = descriptions[0], dict[str, Any]()
    for name, value in first.items():
        values = [description[name] for description in descriptions]
        if isinstance(value, dict):
            mean[name] = _mean(values)
        else:
            mean[name] = round(fmean(values), 4 if isinstance(value, float) else None)
    return mean


def _parameters(encoder: Path) -> int | None:
    """Number of parameters of an encoder; None if its folder holds no tensors."""
    shapes: list[list[int]] = []
    for path in encoder.glob("model*.safetensors"):
        with safe_open(path, "numpy") as tensors:
            shapes += [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118
    return sum(map(prod, shapes)) or None


def _origin(folder: Path) -> dict[str, Any] | None:
    """The folder's asset.json without the fields that only extraction needs; None if there is no such file.

    Of own data also the language, the hashes of their files, and how many rows were left out for which reason.
    """
    path = folder / "asset.json"
    if not path.exists():
        return None
    asset = json.loads(path.read_text(encoding="utf-8"))
    fields = ("package", "version", "sha256", "licence", "source")
    parts = [
        [{field: archive[field] for field in fields if field in archive} for archive in part]
        for part in asset["parts"]
    ]
    of_own_data = {key: asset[key] for key in ("language", "files", "left_out") if key in asset}
    return {"name": asset["name"], "notes": asset["notes"], "parts": parts} | of_own_data
