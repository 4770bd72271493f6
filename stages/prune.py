"""Search one fine-tuned model by both methods: what survives, and its contrasts.

python -m stages.prune sst2 1337 data/sst2 models/sst2/1337 subnetworks/sst2/1337
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import examples
from lottery.grid import cell_name
from lottery.params import section
from lottery.runtime import parallel
from lottery.runtime.compute import ComputeParameters
from lottery.tasks import get_task as task_called
from lottery.tickets import methods
from lottery.tickets.controls import ControlsParameters
from lottery.tickets.importance import ImportanceParameters
from lottery.tickets.magnitude import MagnitudeParameters
from lottery.tickets.methods import Search, Setting
from lottery.tickets.search import PruneParameters
from stages.shell import arguments, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    model: arguments.Model,
    out: Annotated[Path, Argument(help="Folder for subnetworks and the way to them.")],
) -> None:
    """Search one fine-tuned model by both methods: what survives, and its contrasts."""
    tree = cli.parameters()
    compute = section(ComputeParameters, tree)
    how = Setting(
        rule=section(PruneParameters, tree),
        scoring=section(ImportanceParameters, tree),
        weights=section(MagnitudeParameters, tree),
        controls=section(ControlsParameters, tree),
    )
    judged_by = examples.load(data / f"{how.rule.data}.safetensors")
    searches = {
        method: Search(method, task_called(task), seed, model, judged_by, how, compute)
        for method in methods.CRITERIA
    }
    about = f"both searches on {len(judged_by)} {how.rule.data} examples"
    with (
        cli.stage("prune", cell_name(task, seed), about) as stage,
        journal(out, data, model) as notes,
        cli.fresh(out) as draft,
    ):
        jobs = {
            method: partial(methods.prune, wanted=wanted, journal=notes.of(method))
            for method, wanted in searches.items()
        }
        found = parallel.run(jobs, compute, stage.report, preload=[methods.__name__])
        methods.save(found, task_called(task), seed, draft)
        stage.result = ", ".join(
            f"{method} keeps {pruned.subnetworks['good', 0].density:.0%}"
            for method, pruned in found.items()
        )


if __name__ == "__main__":
    cli.run(main)
