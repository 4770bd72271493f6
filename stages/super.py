"""Score what every seed of a task keeps, and its contrasts, with the model of one seed.

python -m stages.super sst2 1337 data/sst2 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2 supers/sst2/1337.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import contest, examples, records, subnetwork
from lottery.grid import Grid
from lottery.parallel import Compute
from lottery.params import section
from lottery.scores import Score
from lottery.seeds import rng
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
    subnetworks: Annotated[Path, Argument(help="Folder of the task's subnetworks, all seeds.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score what every seed of a task keeps, and its contrasts, with the model of one seed."""
    tree = cli.parameters()
    cell = Cell(
        task=task_called(task),
        seed=seed,
        pretrained=pretrained,
        train=examples.load(data / "train.safetensors"),
        recipe=section(Recipe, "finetune", tree),
        compute=section(Compute, "compute", tree),
    )
    seeds = section(Grid, "grid", tree).seeds
    files = [subnetworks / str(each) / "structured" / "good.safetensors" for each in seeds]
    good = [subnetwork.load(file)[0] for file in files]
    competing = contest.super_entrants(good, rng("super", task))
    splits = {path.stem: examples.load(path) for path in sorted(data.glob("dev*.safetensors"))}
    about = f"what all {len(seeds)} seeds keep, as cut and re-fine-tuned"
    with (
        cli.stage("super", f"{task} seed {seed}", about) as stage,
        cli.fresh_file(out) as draft,
    ):
        scores = contest.hold(cell, model, competing, splits, {}, stage.report)
        records.write(Score, scores, draft)
        kept = competing[0].subnetwork
        stage.result = f"{kept!r} survive with every seed"


if __name__ == "__main__":
    cli.run(main)
