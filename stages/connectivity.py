"""Train the tickets of a task and seed with a second order of the data, and score the lines between the trainings.

python -m stages.connectivity sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2/1337 tickets/sst2/1337 scores/sst2/1337/connectivity.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import cell_name
from lottery.params import section
from lottery.tickets import interpolation
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.tickets.interpolation import Connectivity
from lottery.wording import counted
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the tickets of the task and seed.")],
    kept: Annotated[Path, Argument(help="Folder of the retrained tickets that are kept.")],
    out: arguments.Scores,
) -> None:
    """Train the tickets of a task and seed with a second order of the data, and score the lines between trainings."""
    cell = cells.cell(task, seed, data, pretrained)
    parameters = section(ConnectivityParameters, cli.parameters())
    stored = interpolation.load_subnetworks(subnetworks, task, seed, parameters)
    dev = examples.load(data / "dev.safetensors")
    inputs = Connectivity(cell, stored, model, kept, parameters, dev)
    about = f"lines of {counted(len(parameters.keys), 'ticket')}"
    with (
        cli.stage("connectivity", cell_name(task, seed), about) as stage,
        journal(__file__, out, data, pretrained, model, subnetworks, kept) as notes,
        cli.fresh_file(out) as table,
    ):
        rows = [*interpolation.scores(inputs, stage.report, notes)]
        records.write(ConnectivityScore, rows, table)
        stage.result = f"{len(rows)} scores on {counted(len(parameters.keys), 'line')}"


if __name__ == "__main__":
    cli.run(main)
