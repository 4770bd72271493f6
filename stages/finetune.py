"""Fine-tune the pre-trained encoder on one task with one seed.

python -m stages.finetune sst2 1337 data/sst2 data/assets/encoder models/sst2/1337
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import checkpoint, examples, parallel
from lottery.parallel import Compute
from lottery.params import section
from lottery.tasks import task as task_called
from lottery.training import Recipe
from lottery.trials import Cell, finetuned
from stages import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    seed: Annotated[int, Argument(help="Sets classifier, shuffling and dropout.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    pretrained: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    out: Annotated[Path, Argument(help="Folder for the fine-tuned encoder.")],
) -> None:
    """Fine-tune the pre-trained encoder on one task with one seed."""
    tree = cli.parameters()
    cell = Cell(
        task=task_called(task),
        seed=seed,
        pretrained=pretrained,
        train=examples.load(data / "train.safetensors"),
        recipe=section(Recipe, "finetune", tree),
        compute=section(Compute, "compute", tree),
    )
    about = f"{len(cell.train)} examples, {cell.recipe.epochs} epoch(s)"
    with cli.stage("finetune", f"{task} seed {seed}", about) as stage, cli.fresh(out) as draft:
        job = {"training": partial(finetuned, cell=cell)}
        encoder, losses = parallel.run(job, cell.compute, stage.report)["training"]
        checkpoint.save(encoder, draft)
        (draft / "losses.json").write_text(json.dumps({"mean loss per epoch": losses}) + "\n")
        stage.result = f"mean loss {losses[-1]:.3f} in the last epoch"


if __name__ == "__main__":
    cli.run(main)
