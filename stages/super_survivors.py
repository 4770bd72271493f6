"""Score what every seed of a task keeps, and its contrasts, with the model of one seed.

python -m stages.super_survivors sst2 1337 data/sst2 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2 scores/sst2/1337/super.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records, subnetwork
from lottery.data import examples
from lottery.grid import GridParameters, cell_name
from lottery.params import section
from lottery.schemas import Score
from lottery.seeds import rng
from lottery.tickets import scoring
from stages.shell import arguments, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the task's subnetworks, all seeds.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score what every seed of a task keeps, and its contrasts, with the model of one seed."""
    cell = arguments.cell(task, seed, data, pretrained)
    seeds = section(GridParameters, cli.parameters()).seeds
    files = [subnetworks / str(each) / "structured" / "good.safetensors" for each in seeds]
    good = [subnetwork.load(file)[0] for file in files]
    competing = scoring.super_entrants(good, rng("super", task))
    splits = {path.stem: examples.load(path) for path in sorted(data.glob("dev*.safetensors"))}
    about = f"what all {len(seeds)} seeds keep, as cut and re-fine-tuned"
    with (
        cli.stage("super_survivors", cell_name(task, seed), about) as stage,
        journal(out, data, pretrained, model, *files) as notes,
        cli.fresh_file(out) as draft,
    ):
        scores = scoring.score_tickets(cell, model, competing, splits, {}, stage.report, notes)
        records.write(Score, scores, draft)
        kept = competing[0].subnetwork
        stage.result = f"{kept!r} survive with every seed"


if __name__ == "__main__":
    cli.run(main)
