"""Search one fine-tuned model by both methods: what survives, and its contrasts.

python -m stages.prune sst2 1337 data/sst2 models/sst2/1337 subnetworks/sst2/1337
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import examples, parallel, records
from lottery.criteria import CRITERIA, ImportanceRecord, Setting, StepRecord, prune
from lottery.importance import Scoring
from lottery.magnitude import Weights
from lottery.parallel import Compute
from lottery.params import section
from lottery.pruning import Prune
from lottery.sampling import Sampling
from lottery.tasks import task as task_called
from stages import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    seed: Annotated[int, Argument(help="Seed of the fine-tuned model.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    model: Annotated[Path, Argument(help="Folder of the fine-tuned encoder.")],
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
    jobs = {
        method: partial(
            prune,
            method=method,
            model=model,
            task=task_called(task),
            seed=seed,
            examples=judged_by,
            how=how,
            compute=compute,
        )
        for method in CRITERIA
    }
    about = f"both searches on {len(judged_by)} {how.rule.data} examples"
    with cli.stage("prune", f"{task} seed {seed}", about) as stage, cli.fresh(out) as draft:
        found = parallel.run(jobs, compute, stage.report)
        for method, pruned in found.items():
            (draft / method).mkdir()
            for (kind, draw), subnetwork in pruned.subnetworks.items():
                name = f"random-{draw}" if kind == "random" else kind
                subnetwork.save(
                    draft / method / f"{name}.safetensors",
                    task=task, seed=seed, method=method, kind=kind, draw=draw,
                )  # fmt: skip
        steps = [step for pruned in found.values() for step in pruned.steps]
        weights = [row for pruned in found.values() for row in pruned.importance]
        records.write(StepRecord, steps, draft / "trajectory.parquet")
        records.write(ImportanceRecord, weights, draft / "importance.parquet")
        stage.result = ", ".join(
            f"{method} keeps {pruned.subnetworks['good', 0].density:.0%}"
            for method, pruned in found.items()
        )


if __name__ == "__main__":
    cli.run(main)
