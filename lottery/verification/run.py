"""The outputs of a finished run, as checks read them.

A check yields one item for everything that it compares: None, or a description of what is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from msgspec import Struct

from lottery import records
from lottery.data import examples
from lottery.data.examples import Examples
from lottery.grid import GridParameters, cell_name
from lottery.runtime.parameters import ComputeParameters
from lottery.schemas import Prediction, Score, StepRecord
from lottery.tasks import Task, get_task
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.pruner import SearchSettings

Findings = Iterator[str | None]


@dataclass(frozen=True)
class FinishedRun:
    """The outputs of a run, and its parameters; `encoder` is the pre-trained one, `kept` has trained tickets."""

    grid: GridParameters
    settings: SearchSettings
    compute: ComputeParameters
    data: Path
    encoder: Path
    models: Path
    subnetworks: Path
    scores: Path
    predictions: Path
    kept: Path

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
        return examples.load_scored(self.data)

    def tickets(self) -> Mapping[Key, Ticket]:
        """The tickets of all methods that are files."""
        controls, retrain = self.run.settings.controls, self.run.settings.retrain
        keys = [key for method in METHODS.values() for key in method.stored(controls, retrain)]
        return {key: self._ticket(self.seed, key) for key in keys}

    def kept(self, key: Key) -> Path | None:
        """The folder of a retrained ticket whose weights were kept; None if there is none."""
        shares = (str(share) for share in self.run.grid.shares)
        cell = self.run.kept / self.task.name / str(self.seed)
        folders = (cell / share / key.method for share in shares)
        return next((folder for folder in folders if folder.is_dir()), None)

    def good_of_all_seeds(self, method: Method) -> list[Ticket]:
        """The method's good tickets of the task, with all seeds."""
        return [self._ticket(seed, method.good) for seed in self.run.grid.seeds]

    def _ticket(self, seed: int, key: Key) -> Ticket:
        folder = self.run.subnetworks / self.task.name / str(seed)
        return Ticket.load(folder, self.task.name, seed, key)

    def steps(self) -> pd.DataFrame:
        """The trajectories of all searches."""
        frame: pd.DataFrame = self._table(
            StepRecord, self.run.subnetworks, "trajectory.parquet"
        ).to_pandas()
        return frame

    def scores(self) -> list[Score]:
        """All scores of the cell."""
        return records.structs(Score, self._table(Score, self.run.scores))

    def predictions(self) -> list[Prediction]:
        """All predictions of the cell."""
        return records.structs(Prediction, self._table(Prediction, self.run.predictions))

    def _table(self, kind: type[Struct], folder: Path, *names: str) -> pa.Table:
        cell = [(self.task.name, self.seed)]
        return records.read_cells(kind, cell, folder, *(names or self.run.grid.score_files))
