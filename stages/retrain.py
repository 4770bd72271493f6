"""Score every subnetwork of a cell: as cut from the fine-tuned model, and re-fine-tuned under its mask.

python -m stages.retrain sst2 1337 data/sst2 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2/1337 scores/sst2/1337.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import contest, examples, records
from lottery.parallel import Compute
from lottery.params import section
from lottery.sampling import Sampling
from lottery.scores import Score
from lottery.tasks import task as task_called
from lottery.training import Recipe
from lottery.trials import Cell
from stages import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    seed: Annotated[int, Argument(help="Seed of the fine-tuned model, used again.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    pretrained: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    model: Annotated[Path, Argument(help="Folder of the fine-tuned encoder.")],
    subnetworks: Annotated[Path, Argument(help="Folder of the cell's subnetworks.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score every subnetwork of a cell, as cut and re-fine-tuned."""
    tree = cli.parameters()
    cell = Cell(
        task=task_called(task),
        seed=seed,
        pretrained=pretrained,
        train=examples.load(data / "train.safetensors"),
        recipe=section(Recipe, "finetune", tree),
        compute=section(Compute, "compute", tree),
    )
    draws = section(Sampling, "sampling", tree).draws
    competing = [contest.FULL, *contest.entrants(subnetworks, draws)]
    files = {path.stem: examples.load(path) for path in sorted(data.glob("*.safetensors"))}
    splits = {name: files[name] for name in files if name.startswith("dev")}
    select = {"select": files["select"]} if len(files["select"]) else {}
    about = f"{len(competing) - 1} subnetworks, as cut and re-fine-tuned"
    with (
        cli.stage("retrain", f"{task} seed {seed}", about) as stage,
        cli.fresh_file(out) as draft,
    ):
        scores = contest.blind(cell, splits)
        scores += contest.hold(cell, model, competing, splits, select, stage.report)
        records.write(Score, scores, draft)
        stage.result = ", ".join(
            f"{score.method} {score.kind} {score.value:.3f}"
            for score in scores
            if (score.state, score.split, score.metric)
            == ("retrained", "dev", cell.task.metrics[0])
        )


if __name__ == "__main__":
    cli.run(main)
