"""Where a running cell stands in the whole pipeline, and how long the rest may take."""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from ruamel.yaml import YAML

from lottery import params

PIPELINE = Path("dvc.yaml")
NOTED = {"stage", "cell", "name", "seconds"}
"""What an entry of the log holds: the stage and its cell in words, the cell as DVC names it, how long it took."""


def here(parameters: Path, log: Path) -> str | None:
    """`cell 12 of 51, about 9 min left` for the cell DVC runs; None where it is not DVC that runs one.

    DVC goes through the cells in the order of the pipeline. It may pass over cells after this one that are
    up to date, so that what is left is at most this long.
    """
    name = running()
    if name is None or name not in (names := cells(PIPELINE, params.read(parameters))):
        return None
    number = names.index(name)
    return f"cell {number + 1} of {len(names)}{left(names[number:], entries(log))}"


def running() -> str | None:
    """The cell that DVC runs in this process, as it names it; None where it runs none."""
    return os.environ.get("DVC_STAGE", "").removeprefix(f"{PIPELINE}:") or None


def entries(log: Path) -> list[dict[str, Any]]:
    """What stages noted when they ended, oldest first; a line cut short by a crash is no entry."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.keys() >= NOTED:
                found.append(entry)
    return found


def cells(pipeline: Path, parameters: Mapping[str, Any]) -> list[str]:
    """The names of all cells as DVC gives them, in the order of the pipeline."""
    stages = YAML(typ="safe").load(pipeline)["stages"]
    return [
        "@".join(filter(None, (name, "-".join(map(str, cell)))))
        for name, stage in stages.items()
        for cell in product(
            *(_values(axis, parameters) for axis in stage.get("matrix", {}).values())
        )
    ]


def _values(axis: str | list[Any], parameters: Mapping[str, Any]) -> Sequence[Any]:
    """A list, or the list in the parameters that `${section.key}` names."""
    if isinstance(axis, list):
        return axis
    section, key = axis.strip("${}").split(".")
    values: Sequence[Any] = parameters[section][key]
    return values


def left(names: Iterable[str], log: Iterable[Mapping[str, Any]]) -> str:
    """What the cells `names` take by what cells of their stages took before, in words."""
    took = defaultdict[str, list[float]](list)
    for entry in log:
        took[entry["stage"]].append(entry["seconds"])
    stages = [name.partition("@")[0] for name in names]
    known = [median(took[stage]) for stage in stages if stage in took]
    if not known:
        return ""
    about = "about" if len(known) == len(stages) else "more than"
    minutes = sum(known) / 60
    return f", {about} {minutes:.0f} min left" if minutes >= 1 else f", {about} 1 min left"
