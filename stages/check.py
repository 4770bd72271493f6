"""Check every parameter before any work is done.

    python -m stages.check data/checked.json

The output never changes, so that a changed parameter reruns only the stages that use it, and a wrong one stops
the pipeline at its first stage.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import params
from lottery.data import glue, packages
from lottery.data.examples import DataParameters
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import section
from lottery.runtime.compute import chosen_device, uses_bfloat16
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets.parameters import (
    ControlsParameters,
)
from stages.shell import cli
from stages.shell.sections import SECTIONS


def main(out: Annotated[Path, Argument(help="File that says the parameters are sound.")]) -> None:
    """Check every parameter before any work is done."""
    tree = cli.parameters()
    with cli.stage("check", str(cli.PARAMETERS), "every section") as stage:
        sections = params.read_sections(SECTIONS, tree)
        grid = section(GridParameters, tree)
        _obtainable(grid.tasks, section(DataParameters, tree).source)
        _dealt(grid.shares, section(ControlsParameters, tree).draws)
        compute = section(ComputeParameters, tree)
        with cli.fresh_file(out) as draft:
            draft.write_text("{}\n", encoding="utf-8")
        stage.result = f"{len(sections)} sections are sound; {_where(compute)}"


def _where(compute: ComputeParameters) -> str:
    """What cells would compute on; they may run on other machines, so that a GPU that is not here is no fault."""
    try:
        device = chosen_device(compute)
    except UserError:
        return "there is no GPU here, as cells that train would need"
    return f"computes on {device} in {'bfloat16' if uses_bfloat16(compute) else 'float32'}"


def _obtainable(tasks: Iterable[str], source: str) -> None:
    """A UserError if the source of the data has none for one of the tasks, as far as that shows from here."""
    for name in tasks:
        if source == "packages":
            packages.get_asset(name)
        else:
            glue.columns(name)
        if source not in {"packages", "hub"} and not (Path(source).expanduser() / name).is_dir():
            raise UserError(f"data.source = {source!r} has no folder {name}; {glue.WAYS_OUT}")


def _dealt(shares: Sequence[int], draws: int) -> None:
    """A UserError if a share of a cell's subnetworks would be empty."""
    subnetworks = 2 * (2 + draws)  # good, random and bad ones of both methods
    if len(shares) > subnetworks:
        raise UserError(
            f"parameters: grid.shares: {len(shares)} shares, a cell has {subnetworks} subnetworks"
        )


if __name__ == "__main__":
    cli.run(main)
