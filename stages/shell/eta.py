"""Progress of the pipeline: the number of the running job, and an estimate of the remaining time."""

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
from ruamel.yaml.error import YAMLError

from lottery import params
from lottery.errors import MALFORMED, UserError, first_line

PIPELINE = Path("dvc.yaml")
SIDES = "LOTTERY_SIDES"
"""Environment variable with the number of jobs that run side by side; unset means 1."""
ENTRY_KEYS = {"stage", "cell", "name", "seconds"}
"""Keys of a log entry: the stage, its cell in words, the job as DVC names it, its duration."""


class OtherParametersError(UserError):
    """Parameters without a list that the pipeline needs, as those of another version of the project are."""


def here(parameters: Path, log: Path) -> str | None:
    """`job 12 of 51, about 9 min left` for the stage instance that DVC runs; None if this process is not run by DVC.

    The number is the job's place in dvc.yaml, in whose order `dvc repro` runs. The time is that of the jobs from there
    on, as if none of them were up to date, and none before them were still to come: side by side, a rough one.
    """
    name = running()
    if name is None or name not in (names := jobs(PIPELINE, params.read(parameters))):
        return None
    number = names.index(name)
    return f"job {number + 1} of {len(names)}{_remaining(names[number:], entries(log))}"


def running() -> str | None:
    """The job that DVC runs in this process, by DVC's name; None if it runs none."""
    return os.environ.get("DVC_STAGE", "").removeprefix(f"{PIPELINE}:") or None


def entries(log: Path) -> list[dict[str, Any]]:
    """Log entries of finished stages, oldest first; lines cut short by a crash are left out."""
    complete = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.keys() >= ENTRY_KEYS:
                complete.append(entry)
    return complete


def jobs(pipeline: Path, parameters: Mapping[str, Any]) -> list[str]:
    """DVC's names of all jobs, in the order of the pipeline.

    Raises UserError if the file is no such pipeline, and OtherParametersError if it is one of other parameters.
    """
    try:
        stages = YAML(typ="safe").load(pipeline)["stages"]
        return [
            "@".join(filter(None, (name, "-".join(map(str, cell)))))
            for name, stage in stages.items()
            for cell in product(
                *(_values(axis, parameters) for axis in stage.get("matrix", {}).values())
            )
        ]
    except (YAMLError, *MALFORMED) as error:
        raise UserError(f"{pipeline}: no pipeline: {first_line(error)}") from None


def _values(axis: str | list[Any], parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Values of a matrix axis: a list, or the list in the parameters that `${section.key}` refers to."""
    if isinstance(axis, list):
        return axis
    section, key = axis.strip("${}").split(".")
    try:
        values: Sequence[Any] = parameters[section][key]
    except (LookupError, TypeError):
        raise OtherParametersError(
            f"parameters: no {section}.{key}, which {PIPELINE} needs"
        ) from None
    return values


def _remaining(names: Iterable[str], log: Iterable[Mapping[str, Any]]) -> str:
    """Estimated time for the jobs `names`, from the median duration of their stages' jobs so far."""
    durations = defaultdict[str, list[float]](list)
    for entry in log:
        durations[entry["stage"]].append(entry["seconds"])
    stages = [name.partition("@")[0] for name in names]
    estimates = [median(durations[stage]) for stage in stages if stage in durations]
    if not estimates:
        return ""
    about = "about" if len(estimates) == len(stages) else "more than"
    minutes = sum(estimates) / 60 / int(os.environ.get(SIDES, "1"))
    return f", {about} {minutes:.0f} min left" if minutes >= 1 else f", {about} 1 min left"
