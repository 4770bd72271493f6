"""Run one experiment for each value of a parameter, or each combination of values: `lottery sweep`.

DVC's queue takes no part: `dvc exp run --run-all` waits for ever for a worker that has died.
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from cluster.git import require
from cluster.lock import only_one
from cluster.sweep import GRACE, Sweep, combinations
from lottery.errors import UserError
from lottery.wording import counted, listed
from stages.shell import cli
from tools import compare

SCRATCH = Path(".dvc", "tmp", "sweep")


def main(
    name: Annotated[
        str, Argument(help="Name of the sweep; its experiments are NAME-1, NAME-2 ...")
    ],
    grid: Annotated[
        list[str], Argument(help="Values, as prune.rate=0.1,0.2; several parameters span a grid.")
    ],
) -> None:
    """Run one experiment for each value of a parameter, or each combination, and compare them."""
    project, experiments = Path.cwd(), combinations(name, grid)
    about = counted(len(experiments), "experiment")
    require(project)
    with cli.stage("sweep", name, about) as stage, only_one(project, "sweep", GRACE) as lock:
        sweep = Sweep(project, project / SCRATCH, lock)
        remaining = sweep.remaining(experiments)
        failed = [experiment for experiment in remaining if not sweep.run(experiment)]
        ran, before = len(remaining) - len(failed), len(experiments) - len(remaining)
        stage.result = f"{ran} ran, {before} were done before, {len(failed)} failed"
    if others := len(failed) < len(experiments):
        compare.main()
    if failed:
        end = "; the others are done" if others else ""
        raise UserError(f"failed, see above: {listed(map(str, failed))}{end}")
