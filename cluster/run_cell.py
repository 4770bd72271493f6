"""Run one cell of the pipeline in a clone: pull what it reads, reproduce it, push what it made.

python -m cluster.run_cell prune@sst2-1337 prepare@sst2 finetune@sst2-1337
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

from dvc.exceptions import ReproductionError
from dvc.repo import Repo
from dvc.stage.exceptions import StageCmdFailedError
from typer import Argument, Option

from cluster.retry import retry
from lottery.errors import UserError
from stages.shell import cli


def main(
    cell: Annotated[str, Argument(help="The cell, as DVC names it.")],
    needs: Annotated[list[str] | None, Argument(help="Cells whose outputs it reads.")] = None,
    told: Annotated[Path, Option(help="JSON file for what came out.")] = Path("logs/cell.json"),
    leash: Annotated[
        int | None, Option(help="A pipe's open end: when it closes, this and all it started dies.")
    ] = None,
) -> None:
    """Run one cell of the pipeline in a clone: pull what it reads, reproduce it, push what it made."""
    if leash is not None:
        threading.Thread(target=_follow, args=(leash,), daemon=True).start()
    with Repo() as repo:
        cache = Path(repo.cache.local.path)
        steps: dict[str, Callable[[], object]] = {
            "pull": lambda: needs and repo.pull(needs, force=True),
            "run": lambda: _reproduce(repo, cell),
            "push": lambda: repo.push([cell], run_cache=True),
        }
        held, seconds = [_size(cache)], dict[str, float]()
        for name, step in steps.items():
            started = time.perf_counter()
            retry(step, f"{name} {cell}", partial(cli.console.print, markup=False))
            seconds[name] = round(time.perf_counter() - started, 2)
            held.append(_size(cache))
        [entry] = [_entry(stage.dvcfile) for stage in repo.stage.collect(cell)]
    out = {
        "entry": entry[cell],
        "seconds": seconds,
        "pulled": held[1] - held[0],
        "pushed": held[2] - held[1],
    }
    with cli.fresh_file(told) as draft:
        draft.write_text(json.dumps(out), encoding="utf-8")


def _follow(leash: int) -> None:
    os.read(leash, 1)  # returns when the other end is gone
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _reproduce(repo: Repo, cell: str) -> None:
    """Compute the cell, or take it from the run cache; a stage that fails by its own fault is a UserError."""
    try:
        repo.reproduce(cell, single_item=True, pull=True)
    except ReproductionError as error:
        if isinstance(error.__cause__, StageCmdFailedError):
            raise UserError(f"{cell}: its command failed; see above") from None
        raise


def _entry(dvcfile: object) -> dict[str, object]:
    """The stages of the lock that lies beside a pipeline."""
    found: dict[str, object] = dvcfile._lockfile.load()["stages"]  # type: ignore[attr-defined]
    return found


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    cli.run(main)
