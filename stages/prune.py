"""Search one fine-tuned model by every pruning method: good tickets, the controls that are stored, trajectory.

python -m stages.prune sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337 subnetworks/sst2/1337
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import examples
from lottery.grid import cell_name
from lottery.params import section
from lottery.runtime import parallel
from lottery.runtime.parameters import ComputeParameters
from lottery.tasks import get_task
from lottery.tickets import pruning
from lottery.tickets.methods import METHODS
from lottery.tickets.pruning import Search
from stages.shell import arguments, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    model: arguments.Model,
    out: Annotated[Path, Argument(help="Folder for the tickets and the trajectory.")],
) -> None:
    """Search one fine-tuned model by every pruning method: good tickets, the controls that are stored, trajectory."""
    tree = cli.parameters()
    compute, settings = section(ComputeParameters, tree), pruning.read_settings(tree)
    split = settings.prune.data
    search_examples = examples.load(data / f"{split}.safetensors")
    searches = {
        name: Search(
            method, get_task(task), seed, model, pretrained, search_examples, settings, compute
        )
        for name, method in METHODS.items()
    }
    about = f"{len(searches)} searches on {len(search_examples)} {split} examples"
    with (
        cli.stage("prune", cell_name(task, seed), about) as stage,
        journal(__file__, out, data, pretrained, model) as notes,
        cli.fresh(out) as draft,
    ):
        jobs = {
            name: partial(pruning.prune, inputs=search, journal=notes.of(name))
            for name, search in searches.items()
        }
        results = parallel.run(jobs, compute, stage.report, preload=[pruning.__name__])
        pruning.save(results.values(), draft)
        good = {name: result.tickets[0] for name, result in results.items()}
        stage.result = ", ".join(
            f"{name} keeps {ticket.subnetwork.density:.0%}" for name, ticket in good.items()
        )


if __name__ == "__main__":
    cli.run(main)
