"""Run one job in a clone: pull its inputs, reproduce its stage, push its outputs.

python -m cluster.run_job prune@sst2-1337 prepare@sst2 finetune@sst2-1337
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
from lottery.runtime.memory import tune_allocator
from stages.shell import cli


def main(
    job: Annotated[str, Argument(help="Name of the stage instance, as DVC prints it.")],
    needs: Annotated[list[str] | None, Argument(help="Jobs whose outputs it reads.")] = None,
    out: Annotated[Path, Option(help="JSON file for the result.")] = Path("logs/job.json"),
    lifeline: Annotated[
        int | None,
        Option(help="Descriptor of a pipe; once its other end closes, the job is killed."),
    ] = None,
) -> None:
    """Run one job in a clone: pull its inputs, reproduce its stage, push its outputs."""
    if lifeline is not None:
        threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
    tune_allocator()
    with Repo() as repo:
        cache = Path(repo.cache.local.path)
        steps: dict[str, Callable[[], object]] = {
            "pull": lambda: needs and repo.pull(needs, force=True),
            "run": lambda: _reproduce(repo, job),
            "push": lambda: repo.push([job], run_cache=True),
        }
        sizes, seconds = [_size(cache)], dict[str, float]()
        for name, step in steps.items():
            started = time.perf_counter()
            retry(step, f"{name} {job}", partial(cli.console.print, markup=False))
            seconds[name] = round(time.perf_counter() - started, 2)
            sizes.append(_size(cache))
        [stage] = repo.stage.collect(job)
        # Read from the file: DVC's stage object has no public way to its entry.
        entry = stage.dvcfile._lockfile.load()["stages"][job]
    result = {
        "entry": entry,
        "seconds": seconds,
        "pulled": sizes[1] - sizes[0],
        "pushed": sizes[2] - sizes[1],
    }
    with cli.fresh_file(out) as draft:
        draft.write_text(json.dumps(result), encoding="utf-8")


def _die_with(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the other end is closed
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _reproduce(repo: Repo, job: str) -> None:
    """Run the stage or take its outputs from the run cache. Raises UserError if its command fails."""
    try:
        repo.reproduce(job, single_item=True, pull=True)
    except ReproductionError as error:
        if isinstance(error.__cause__, StageCmdFailedError):
            raise UserError(f"{job}: its command failed; see above") from None
        raise


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    cli.run(main)
