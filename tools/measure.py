"""Measure size and speed of the tickets that the finished run keeps: `lottery measure`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
import torch
from typer import Option

from lottery.analysis import frames
from lottery.data.examples import DataParameters
from lottery.errors import UserError
from lottery.export import speed, trained
from lottery.export.form import ONNX, require_packages
from lottery.export.trained import TrainedModel
from lottery.params import section
from lottery.report.provenance import machine
from lottery.ticket import FULL, Key
from lottery.tickets.methods import METHODS
from lottery.verification.run import CellOutputs, FinishedRun
from lottery.wording import counted
from stages.shell import cli
from tools import folders
from tools.finished import finished_run


def main(
    seed: Annotated[
        int | None, Option(help="Seed of the models; by default the first of retrain.kept.")
    ] = None,
    rounds: Annotated[int, Option(min=1, help="Readings of each time.")] = 20,
    out: Annotated[Path, Option(help="CSV file for the table.")] = Path("reports/speed.csv"),
    data: folders.Data = Path("data"),
    encoder: folders.Encoder = Path("data/assets/encoder"),
    models: folders.Models = Path("models"),
    subnetworks: folders.Subnetworks = Path("subnetworks"),
    kept: folders.Kept = Path("tickets"),
) -> None:
    """Measure size and speed of the tickets that the finished run keeps, and of the full models.

    Every model runs on one thread in this project, in transformers and in onnxruntime, also with eight bits. Nothing
    else should run on the machine. The report shows the table when it is written again.
    """
    require_packages(ONNX)
    run = finished_run(data, encoder, models, subnetworks, kept)
    cells = list(_cells(run, seed))
    torch.set_num_threads(1)
    tables = []
    with (
        cli.stage("measure", str(out), counted(len(cells), "task")) as stage,
        cli.fresh_file(out) as draft,
    ):
        for cell in cells:
            with TemporaryDirectory() as scratch:
                report = partial(stage.report, str(cell), total=rounds)
                tables.append(speed.table(_models(cell), Path(scratch), rounds, report))
        frames.save(pd.concat(tables).assign(machine=machine()), draft)
        stage.result = (
            f"{counted(sum(map(len, tables)), 'row')}; `make measure` shows them in the report"
        )


def _cells(run: FinishedRun, seed: int | None) -> Iterator[CellOutputs]:
    """The cells of a seed that keep a ticket. Raises UserError if there are none."""
    if seed is None:
        seed = next(iter(run.settings.retrain.kept), None)
    cells = [cell for cell in run.cells if cell.seed == seed and _kept(cell)]
    if not cells:
        of_seed = "" if seed is None else f" of seed {seed}"
        raise UserError(
            f"no ticket{of_seed} was kept; add a seed to retrain.kept in params.yaml and run `make repro`"
        )
    yield from cells


def _kept(cell: CellOutputs) -> list[Key]:
    """The good tickets that the cell keeps."""
    return [method.good for method in METHODS.values() if cell.kept(method.good)]


def _models(cell: CellOutputs) -> list[TrainedModel]:
    """The full model of a cell and its tickets."""
    max_length = section(DataParameters, cli.parameters()).max_length
    return [trained.read(cell, key, max_length) for key in (FULL, *_kept(cell))]
