"""Prune the model of a task and seed iteratively, rewinding after each round; train controls of some rounds.

python -m stages.rewind sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337 \\
    scores/sst2/1337/rewind.parquet rewound/sst2/1337
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import records
from lottery.data import examples
from lottery.grid import cell_name
from lottery.params import section
from lottery.runtime import parallel
from lottery.schemas import RewindScore
from lottery.tickets import rewinding, rewinding_controls
from lottery.tickets.parameters import MagnitudeParameters, RewindParameters
from lottery.tickets.rewinding import ROUNDS, Rewinding
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    out: arguments.Scores,
    masks: Annotated[Path, Argument(help="Folder for the masks of all rounds.")],
) -> None:
    """Prune the model of a task and seed iteratively, rewinding after each round; train controls of some rounds."""
    tree, cell = cli.parameters(), cells.cell(task, seed, data, pretrained)
    parameters = section(RewindParameters, tree)
    biases = section(MagnitudeParameters, tree).biases
    inputs = Rewinding(cell, model, parameters, biases, examples.load_scored(data))
    planned = rewinding_controls.planned(parameters)
    about = f"{parameters.rounds} rounds and {len(planned)} controls"
    with (
        cli.stage("rewind", cell_name(task, seed), about) as stage,
        journal(__file__, masks, data, pretrained, model) as notes,
        cli.fresh_file(out) as table,
        cli.fresh(masks) as folder,
    ):
        job = {ROUNDS: partial(rewinding.rounds, inputs=inputs, journal=notes.of(ROUNDS))}
        rounds = parallel.run(job, cell.compute, stage.report)[ROUNDS]
        controls = rewinding_controls.train_controls(inputs, rounds, stage.report, notes)
        rows = [
            row for trained in (*rounds, *controls) for row in rewinding.scores(inputs, trained)
        ]
        records.write(RewindScore, rows, table)
        for number, trained in enumerate(rounds):
            trained.kept.save(folder / f"{number}.safetensors", task=task, seed=seed, round=number)
        last = next(row for row in rows if (row.control, row.split) == ("rewound", "dev"))
        stage.result = f"{len(rows)} scores; {last.metric} of the full model {last.value:.3f}"


if __name__ == "__main__":
    cli.run(main)
