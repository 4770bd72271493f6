"""Score the tickets of a task and seed: pruned from the fine-tuned model, and retrained under their masks.

python -m stages.retrain sst2 1337 1 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2/1337 scores/sst2/1337/1.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import GridParameters, cell_name
from lottery.model import checkpoint
from lottery.params import section
from lottery.schemas import Score
from lottery.ticket import Ticket
from lottery.tickets import scoring
from lottery.tickets.methods import load_tickets
from lottery.tickets.parameters import ControlsParameters
from stages.shell import arguments, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    share: Annotated[int, Argument(help="Which share of the tickets to score, from 1.")],
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the tickets of the task and seed.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score the tickets of a task and seed: pruned from the fine-tuned model, and retrained under their masks."""
    tree, cell = cli.parameters(), arguments.cell(task, seed, data, pretrained)
    draws = section(ControlsParameters, tree).draws
    shares = len(section(GridParameters, tree).shares)
    full = Ticket.whole(task, seed, checkpoint.read_config(model).shapes)
    tickets = [full, *load_tickets(subnetworks, task, seed, draws)]
    in_share = tickets[share - 1 :: shares]
    files = {path.stem: examples.load(path) for path in sorted(data.glob("*.safetensors"))}
    splits = {name: files[name] for name in files if name.startswith("dev")}
    select = {"select": files["select"]} if len(files["select"]) else {}
    about = f"{len(in_share)} of {len(tickets)} tickets, counting the full model"
    with (
        cli.stage("retrain", cell_name(task, seed, share, shares), about) as stage,
        journal(out, data, pretrained, model, subnetworks) as notes,
        cli.fresh_file(out) as draft,
    ):
        scores = scoring.majority_baseline(cell, splits) if full in in_share else []
        scores += scoring.score_tickets(cell, model, in_share, splits, select, stage.report, notes)
        records.write(Score, scores, draft)
        stage.result = ", ".join(
            f"{score.method} {score.kind} {score.value:.3f}"
            for score in scores
            if (score.state, score.split, score.metric)
            == ("retrained", "dev", cell.task.metrics[0])
        )


if __name__ == "__main__":
    cli.run(main)
