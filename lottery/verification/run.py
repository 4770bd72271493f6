"""The outputs of a finished run, as checks read them.

A check yields one item for everything that it compares: None, or a description of what is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from msgspec import Struct

from lottery import records
from lottery.data import examples
from lottery.data.examples import Examples
from lottery.grid import GridParameters, cell_name
from lottery.runtime.parameters import ComputeParameters
from lottery.schemas import Score, StepRecord
from lottery.tasks import Task, get_task
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.pruner import SearchSettings

Findings = Iterator[str | None]


@dataclass(frozen=True)
class FinishedRun:
    """The outputs of a run, and its parameters."""

    grid: GridParameters
    settings: SearchSettings
    compute: ComputeParameters
    data: Path
    models: Path
    subnetworks: Path
    scores: Path

    @property
    def cells(self) -> list["CellOutputs"]:
        return [CellOutputs(self, get_task(name), seed) for name, seed in self.grid.cells]


@dataclass(frozen=True)
class CellOutputs:
    """The outputs of one task and seed, read anew at each call.

    Methods raise UserError if a file is missing or damaged, or belongs to another cell.
    """

    run: FinishedRun
    task: Task
    seed: int

    def __str__(self) -> str:
        return cell_name(self.task.name, self.seed)

    @property
    def data(self) -> Path:
        return self.run.data / self.task.name / str(self.seed)

    @property
    def model(self) -> Path:
        return self.run.models / self.task.name / str(self.seed)

    def splits(self) -> dict[str, Examples]:
        """The splits on which scores are reported and, if it has examples, the one that drove the searches."""
        files = {path.stem: path for path in self.data.glob("*.safetensors")}
        splits = {name: examples.load(files[name]) for name in sorted(files) if name != "train"}
        return {name: split for name, split in splits.items() if len(split)}

    def tickets(self) -> Mapping[Key, Ticket]:
        """The good, random and bad tickets of all methods."""
        draws = self.run.settings.controls.draws
        keys = [key for method in METHODS.values() for key in method.keys(draws)]
        return {key: self._ticket(self.seed, key) for key in keys}

    def good_of_all_seeds(self, method: Method) -> list[Ticket]:
        """The method's good tickets of the task, with all seeds."""
        return [self._ticket(seed, method.good) for seed in self.run.grid.seeds]

    def _ticket(self, seed: int, key: Key) -> Ticket:
        folder = self.run.subnetworks / self.task.name / str(seed)
        return Ticket.load(folder, self.task.name, seed, key)

    def steps(self) -> pd.DataFrame:
        """The trajectories of all searches."""
        return self._records(StepRecord, self.run.subnetworks, "trajectory.parquet")

    def scores(self) -> pd.DataFrame:
        """All scores of the cell."""
        return self._records(Score, self.run.scores, *self.run.grid.score_files)

    def _records(self, kind: type[Struct], folder: Path, *names: str) -> pd.DataFrame:
        cell = [(self.task.name, self.seed)]
        frame: pd.DataFrame = records.read_cells(kind, cell, folder, *names).to_pandas()
        return frame
