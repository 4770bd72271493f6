"""Score the super-survivors of a task and their controls, with the model of one seed.

python -m stages.super_survivors sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2 scores/sst2/1337/super.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import GridParameters, cell_name
from lottery.params import section
from lottery.schemas import Score
from lottery.seeds import rng
from lottery.ticket import Ticket
from lottery.tickets import scoring
from lottery.tickets.methods import METHODS
from lottery.wording import counted
from stages.shell import arguments, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the task's tickets, all seeds.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score the super-survivors of a task and their controls, with the model of one seed."""
    cell = arguments.cell(task, seed, data, pretrained)
    seeds = section(GridParameters, cli.parameters()).seeds
    tickets: list[Ticket] = []
    for method in METHODS.values():
        if method.super_survivors:
            good = [
                Ticket.load(subnetworks / str(other), task, other, method.good) for other in seeds
            ]
            tickets += scoring.super_tickets(good, seed, rng("super", task))
    splits = {path.stem: examples.load(path) for path in sorted(data.glob("dev*.safetensors"))}
    about = f"super-survivors of {counted(len(seeds), 'seed')}, pruned and retrained"
    with (
        cli.stage("super_survivors", cell_name(task, seed), about) as stage,
        journal(out, data, pretrained, model, subnetworks) as notes,
        cli.fresh_file(out) as draft,
    ):
        scores = scoring.score_tickets(cell, model, tickets, splits, {}, stage.report, notes)
        records.write(Score, scores, draft)
        survivors = [ticket.subnetwork for ticket in tickets if ticket.kind == "super"]
        stage.result = f"{', '.join(map(repr, survivors))} survive with every seed"


if __name__ == "__main__":
    cli.run(main)
