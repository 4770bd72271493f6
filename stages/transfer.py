"""Train on a task, with one seed, under the masks of other tasks, masks that belong to no task, and random masks.

python -m stages.transfer sst2 1337 data/sst2/1337 data/assets/encoder subnetworks \\
    scores/sst2/1337/transfer.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import cell_name
from lottery.params import section
from lottery.tickets import pruning, transferred_masks
from lottery.tickets.transfer import TransferParameters, TransferScore
from lottery.tickets.transferred_masks import Transfer
from lottery.wording import counted
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    subnetworks: Annotated[Path, Argument(help="Folder of the tickets, <task>/<seed>/.")],
    out: arguments.Scores,
) -> None:
    """Train on a task, with one seed, under masks of other tasks, masks that belong to no task, and random masks."""
    tree, cell = cli.parameters(), cells.cell(task, seed, data, pretrained)
    parameters = section(TransferParameters, tree)
    good = transferred_masks.load_good(subnetworks, parameters, seed)
    settings = pruning.read_settings(tree)
    inputs = Transfer(cell, good, parameters, settings, examples.load_scored(data))
    folders = [subnetworks / other / str(seed) for other in parameters.tasks]
    about = f"masks of {counted(len(parameters.tasks), 'task')} and of no task"
    with (
        cli.stage("transfer", cell_name(task, seed), about) as stage,
        journal(__file__, out, data, pretrained, *folders) as notes,
        cli.fresh_file(out) as table,
    ):
        rows = [*transferred_masks.scores(inputs, stage.report, notes)]
        records.write(TransferScore, rows, table)
        stage.result = f"{len(rows)} scores of {len({row.digest for row in rows})} masks"


if __name__ == "__main__":
    cli.run(main)
