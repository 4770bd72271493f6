"""Score the super-survivors of a task and their controls, with the model of one seed.

python -m stages.super_survivors sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2 scores/sst2/1337/super.parquet predictions/sst2/1337/super.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import GridParameters, cell_name
from lottery.params import section
from lottery.predictions import scores
from lottery.schemas import Prediction, Score
from lottery.subnetwork import Subnetwork
from lottery.ticket import Key, Ticket
from lottery.tickets import measurements, pruning
from lottery.tickets.methods import METHODS
from lottery.tickets.scoring import Tickets, predict_all
from lottery.tickets.super_survivors import super_subnetworks
from lottery.wording import counted
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the task's tickets, all seeds.")],
    out: arguments.Scores,
    predictions: arguments.Predictions,
) -> None:
    """Score the super-survivors of a task and their controls, with the model of one seed."""
    tree, cell = cli.parameters(), cells.cell(task, seed, data, pretrained)
    settings = pruning.read_settings(tree)
    seeds = section(GridParameters, tree).seeds
    supers: dict[Key, Subnetwork] = {}
    for method in METHODS.values():
        if keys := method.super_keys(settings.controls):
            good = [
                Ticket.load(subnetworks / str(other), task, other, method.good) for other in seeds
            ]
            supers |= super_subnetworks(good, keys)
    planned = measurements.of_super_survivors(seed, settings.controls, settings.retrain)
    splits = examples.load_scored(data)
    about = f"super-survivors of {counted(len(seeds), 'seed')}, pruned and retrained"
    with (
        cli.stage("super_survivors", cell_name(task, seed), about) as stage,
        journal(__file__, out, data, pretrained, model, subnetworks) as notes,
        cli.fresh_file(out) as score_table,
        cli.fresh_file(predictions) as prediction_table,
    ):
        tickets = Tickets(cell.task, seed, supers, cell.train, settings)
        results = predict_all(cell, model, tickets, planned, splits, stage.report, notes)
        records.write(Prediction, results.predictions, prediction_table)
        records.write(Score, scores(results.predictions), score_table)
        survivors = [kept for key, kept in supers.items() if key.kind == "super"]
        stage.result = f"{', '.join(map(repr, survivors))} survive with every seed"


if __name__ == "__main__":
    cli.run(main)
