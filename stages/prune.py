"""Search one fine-tuned model by both methods: what survives, and its contrasts.

python -m stages.prune sst2 1337 data/sst2 models/sst2/1337 subnetworks/sst2/1337
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import criteria, examples, parallel
from lottery.criteria import Search, Setting
from lottery.grid import called
from lottery.importance import Scoring
from lottery.magnitude import Weights
from lottery.parallel import Compute
from lottery.params import section
from lottery.pruning import Prune
from lottery.sampling import Sampling
from lottery.tasks import task as task_called
from stages import cells, cli
from stages.journals import journal


def main(
    task: cells.Task,
    seed: cells.Seed,
    data: cells.Data,
    model: cells.Model,
    out: Annotated[Path, Argument(help="Folder for subnetworks and the way to them.")],
) -> None:
    """Search one fine-tuned model by both methods: what survives, and its contrasts."""
    tree = cli.parameters()
    compute = section(Compute, "compute", tree)
    how = Setting(
        rule=section(Prune, "prune", tree),
        scoring=section(Scoring, "importance", tree),
        weights=section(Weights, "magnitude", tree),
        sampling=section(Sampling, "sampling", tree),
    )
    judged_by = examples.load(data / f"{how.rule.data}.safetensors")
    searches = {
        method: Search(method, task_called(task), seed, model, judged_by, how, compute)
        for method in criteria.CRITERIA
    }
    about = f"both searches on {len(judged_by)} {how.rule.data} examples"
    with (
        cli.stage("prune", called(task, seed), about) as stage,
        journal(out, data, model) as notes,
        cli.fresh(out) as draft,
    ):
        jobs = {
            method: partial(criteria.prune, wanted=wanted, journal=notes.of(method))
            for method, wanted in searches.items()
        }
        found = parallel.run(jobs, compute, stage.report)
        criteria.save(found, task_called(task), seed, draft)
        stage.result = ", ".join(
            f"{method} keeps {pruned.subnetworks['good', 0].density:.0%}"
            for method, pruned in found.items()
        )


if __name__ == "__main__":
    cli.run(main)
