"""Score the tickets of a task and seed: pruned from the fine-tuned model, and retrained under their masks.

python -m stages.retrain sst2 1337 1 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2/1337 scores/sst2/1337/1.parquet predictions/sst2/1337/1.parquet tickets/sst2/1337/1
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import GridParameters, cell_name
from lottery.model import checkpoint
from lottery.params import section
from lottery.predictions import scores
from lottery.schemas import Prediction, Score
from lottery.tickets import measurements, pruning
from lottery.tickets.baselines import predict_baselines
from lottery.tickets.methods import load_tickets
from lottery.tickets.scoring import Tickets, predict_all, trained_tickets
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    share: Annotated[int, Argument(help="Which share of the measurements to make, from 1.")],
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the tickets of the task and seed.")],
    out: arguments.Scores,
    predictions: arguments.Predictions,
    kept: Annotated[Path, Argument(help="Folder for the retrained good tickets that are kept.")],
) -> None:
    """Score the tickets of a task and seed: pruned from the fine-tuned model, and retrained under their masks."""
    tree, cell = cli.parameters(), cells.cell(task, seed, data, pretrained)
    settings = pruning.read_settings(tree)
    shares = len(section(GridParameters, tree).shares)
    stored = load_tickets(subnetworks, task, seed, settings.controls, settings.retrain)
    subnetworks_by_key = {ticket.key: ticket.subnetwork for ticket in stored}
    tickets = Tickets(cell.task, seed, subnetworks_by_key, cell.train, settings)
    planned = measurements.of_cell(seed, settings.controls, settings.retrain)
    in_share = planned[share - 1 :: shares]
    splits = examples.load_scored(data)
    about = f"{len(in_share)} of {len(planned)} measurements"
    with (
        cli.stage("retrain", cell_name(task, seed, share, shares), about) as stage,
        journal(__file__, out, data, pretrained, model, subnetworks) as notes,
        cli.fresh_file(out) as score_table,
        cli.fresh_file(predictions) as prediction_table,
        cli.fresh(kept) as encoders,
    ):
        results = predict_all(cell, model, tickets, in_share, splits, stage.report, notes)
        predicted = results.predictions + predict_baselines(cell, in_share, splits)
        rows = [*scores(predicted)]
        for key, encoder in trained_tickets(cell, tickets, results):
            checkpoint.save(encoder, encoders / key.method)
        # So that the folder is never empty, which DVC warns of.
        (encoders / "kept.json").write_text(json.dumps([key.name for key in results.kept]) + "\n")
        records.write(Prediction, predicted, prediction_table)
        records.write(Score, rows, score_table)
        stage.result = ", ".join(_headlines(rows, cell.task.metrics[0]))


def _headlines(rows: Iterable[Score], metric: str) -> Iterator[str]:
    """The scores of retrained tickets on dev, in words."""
    for score in rows:
        if (score.state, score.split, score.metric) == ("retrained", "dev", metric):
            yield f"{score.method} {score.kind} {score.value:.3f}"


if __name__ == "__main__":
    cli.run(main)
