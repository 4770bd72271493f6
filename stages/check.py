"""Check every parameter before any work is done.

    python -m stages.check data/checked.json

The output never changes, so that a changed parameter reruns only the stages that use it, and a wrong one stops
the pipeline at its first stage.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import assets, glue, params
from lottery.assets import Checkpoint
from lottery.examples import Data
from lottery.faults import Fault
from lottery.grid import Grid
from lottery.importance import Scoring
from lottery.magnitude import Weights
from lottery.parallel import Compute
from lottery.params import Section, section
from lottery.patterns import Attending
from lottery.pruning import Prune
from lottery.sampling import Sampling
from lottery.training import Recipe
from stages import cli

SECTIONS: Mapping[str, type[Section]] = {
    "grid": Grid,
    "encoder": Checkpoint,
    "data": Data,
    "finetune": Recipe,
    "prune": Prune,
    "importance": Scoring,
    "magnitude": Weights,
    "sampling": Sampling,
    "attention": Attending,
    "compute": Compute,
}


def main(out: Annotated[Path, Argument(help="File that says the parameters are sound.")]) -> None:
    """Check every parameter before any work is done."""
    tree = cli.parameters()
    with cli.stage("check", str(cli.PARAMETERS), "every section") as stage:
        sections = params.whole(SECTIONS, tree)
        grid = section(Grid, "grid", tree)
        _obtainable(grid.tasks, section(Data, "data", tree).source)
        _dealt(grid.shares, section(Sampling, "sampling", tree).draws)
        compute = section(Compute, "compute", tree)
        with cli.fresh_file(out) as draft:
            draft.write_text("{}\n", encoding="utf-8")
        stage.result = f"{len(sections)} sections are sound; {_where(compute)}"


def _where(compute: Compute) -> str:
    """What cells would compute on; they may run on other machines, so that a GPU that is not here is no fault."""
    try:
        device = compute.chosen
    except Fault:
        return "there is no GPU here, as cells that train would need"
    return f"computes on {device} in {'bfloat16' if compute.half else 'float32'}"


def _obtainable(tasks: Iterable[str], source: str) -> None:
    """A Fault if the source of the data has none for one of the tasks, as far as that shows from here."""
    for name in tasks:
        if source == "packages":
            assets.asset(name)
        else:
            glue.columns(name)
        if source not in {"packages", "hub"} and not (Path(source).expanduser() / name).is_dir():
            raise Fault(f"data.source = {source!r} has no folder {name}; {glue.WAYS_OUT}")


def _dealt(shares: Sequence[int], draws: int) -> None:
    """A Fault if a share of a cell's subnetworks would be empty."""
    subnetworks = 2 * (2 + draws)  # good, random and bad ones of both methods
    if len(shares) > subnetworks:
        raise Fault(
            f"parameters: grid.shares: {len(shares)} shares, a cell has {subnetworks} subnetworks"
        )


if __name__ == "__main__":
    cli.run(main)
