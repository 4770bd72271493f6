"""Check all parameters before anything else runs.

    python -m stages.check data/checked.json data/tasks

The content of the first output never changes: a changed parameter reruns only the stages that use it, and an invalid
one stops the pipeline at its first stage. The second is a file for each task, with its description if it is an own
one: a changed description reruns the stages of that task.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import floor, log1p
from pathlib import Path
from typing import Annotated

import msgspec
from typer import Argument

from lottery import params
from lottery.data import formats, glue, packages
from lottery.data.examples import DataParameters
from lottery.errors import UserError, suggestion
from lottery.grid import GridParameters
from lottery.runtime.compute import chosen_device, uses_bfloat16
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets import measurements
from lottery.tickets.connectivity import ConnectivityParameters
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
    RetrainParameters,
    RewindParameters,
)
from lottery.tickets.saliencies import OF_WEIGHTS, SALIENCIES, get_saliency
from lottery.tickets.transfer import TransferParameters
from lottery.wording import listed
from stages.shell import cli, places
from stages.shell.sections import SECTIONS

ROUNDING = 1e-9
"""Of a number of steps, so that an end which is the sparsity of a step is reached."""


def main(
    out: Annotated[Path, Argument(help="File that depends on valid parameters.")],
    descriptions: Annotated[Path, Argument(help="Folder for the descriptions of own tasks.")],
) -> None:
    """Check all parameters before anything else runs."""
    tree = cli.parameters()
    with cli.stage("check", str(cli.PARAMETERS), "every section") as stage:
        sections = params.read_sections(SECTIONS, tree)
        grid = sections[GridParameters]
        data = sections[DataParameters]
        _require_data(grid.tasks, data)
        importance, magnitude = sections[ImportanceParameters], sections[MagnitudeParameters]
        get_saliency("importance.saliency", importance.saliency, SALIENCIES)
        get_saliency("magnitude.saliency", magnitude.saliency, OF_WEIGHTS)
        controls, retrain = sections[ControlsParameters], sections[RetrainParameters]
        _require_matched_candidates(controls, sections[PruneParameters], magnitude)
        _require_retrainable(controls, retrain)
        _require_filled_shares(grid, controls, retrain)
        _require_cells(grid, sections[RewindParameters])
        _require_cells(grid, sections[ConnectivityParameters])
        _require_in_grid("transfer.tasks", sections[TransferParameters].tasks, "tasks", grid.tasks)
        with cli.fresh_file(out) as draft, cli.fresh(descriptions) as folder:
            draft.write_text("{}\n", encoding="utf-8")
            for task in grid.tasks:
                (folder / f"{task}.json").write_bytes(_description(task, data))
        device = _describe_device(sections[ComputeParameters])
        stage.result = "; ".join(
            [f"{len(sections)} sections are valid", device, *_absent(retrain, grid.seeds)]
        )


def _describe_device(compute: ComputeParameters) -> str:
    """The device of this machine. A missing GPU is no error: the stages may run on other machines."""
    try:
        device = chosen_device(compute)
    except UserError:
        return "compute.device = 'cuda', but this machine has no GPU"
    return f"computes on {device} in {'bfloat16' if uses_bfloat16(compute) else 'float32'}"


def _absent(retrain: RetrainParameters, seeds: Sequence[int]) -> Iterator[str]:
    """Words on seeds that `retrain` names in vain. No error: experiments that vary `grid.seeds` share one `retrain`."""
    for key, missing in retrain.absent(seeds).items():
        yield f"retrain.{key}: not in grid.seeds: {listed(map(str, missing))}"


def _description(task: str, data: DataParameters) -> bytes:
    """The description of an own task as JSON, empty for another task."""
    return msgspec.json.format(msgspec.json.encode(data.tasks.get(task, {}))) + b"\n"


def _require_data(tasks: Iterable[str], data: DataParameters) -> None:
    """Raise UserError if the source cannot have the data of a task; nothing is downloaded to find out."""
    source = data.source
    for task in tasks:
        if task in data.tasks:
            for path in data.tasks[task].paths.values():
                formats.require_table(places.find(str(path)))
            continue
        if source == "packages":
            packages.get_asset(task)
        else:
            glue.text_columns(task)
        if source not in {"packages", "hub"} and not (places.find(source) / task).is_dir():
            raise UserError(
                f"data.source = {source!r} has no folder {task}; {glue.HOW_TO_GET_GLUE}"
            )


def _require_matched_candidates(
    controls: ControlsParameters, prune: PruneParameters, magnitude: MagnitudeParameters
) -> None:
    """Raise UserError if a search may end before a sparsity at which tickets are compared."""
    deepest = max(controls.matched)
    if deepest > prune.curve:
        raise UserError(
            f"parameters: controls.matched: {deepest:g}, but prune.curve ends at {prune.curve:g}"
        )
    rate = magnitude.rate or prune.rate
    steps = floor(log1p(-magnitude.until) / log1p(-rate) + ROUNDING)
    end = 1 - (1 - rate) ** steps
    if deepest > end:
        raise UserError(
            f"parameters: controls.matched: {deepest:g}, but steps of {rate:g} of the remaining weights that stop at"
            f" magnitude.until = {magnitude.until:g} end at a sparsity of {end:.3g}"
        )


def _require_retrainable(controls: ControlsParameters, retrain: RetrainParameters) -> None:
    """Raise UserError if a ticket that is to be retrained does not exist."""
    draws = min(controls.random_draws, controls.bad_draws)
    if retrain.draws > draws:
        raise UserError(
            f"parameters: retrain.draws = {retrain.draws}: controls draws {draws} random or bad tickets only"
        )
    named = {"tickets": retrain.tickets, "reinitialised": retrain.reinitialised}
    for parameter, name in ((key, name) for key, methods in named.items() for name in methods):
        if name not in METHODS:
            raise UserError(
                f"parameters: retrain.{parameter}: unknown method `{name[:80]}`{suggestion(name, METHODS)}"
            )


def _require_cells(grid: GridParameters, chosen: RewindParameters | ConnectivityParameters) -> None:
    """Raise UserError if a section that names some cells names one that is none of the grid."""
    name = chosen.section()
    _require_in_grid(f"{name}.tasks", chosen.tasks, "tasks", grid.tasks)
    _require_in_grid(f"{name}.seeds", chosen.seeds, "seeds", grid.seeds)
    if bool(chosen.tasks) != bool(chosen.seeds):
        raise UserError(f"parameters: {name}: tasks without seeds, or seeds without tasks")


def _require_in_grid(
    parameter: str, values: Iterable[object], key: str, of_grid: Sequence[object]
) -> None:
    """Raise UserError if a task or seed is none of the grid."""
    for value in values:
        if value not in of_grid:
            raise UserError(f"parameters: {parameter}: {value} is not in grid.{key}")


def _require_filled_shares(
    grid: GridParameters, controls: ControlsParameters, retrain: RetrainParameters
) -> None:
    """Raise UserError if a share would get no measurement of a cell."""
    fewest = min(len(measurements.of_cell(seed, controls, retrain)) for seed in grid.seeds)
    if len(grid.shares) > fewest:
        raise UserError(
            f"parameters: grid.shares: {len(grid.shares)} shares, but a cell has only {fewest} measurements"
        )


if __name__ == "__main__":
    cli.run(main)
