"""A finished run, as it lies on disk, to be looked at again.

A check looks at many things and says of each what is wrong with it, or None where nothing is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from msgspec import Struct

from lottery import records, subnetwork
from lottery.data import examples
from lottery.data.examples import Examples
from lottery.errors import UserError
from lottery.grid import GridParameters, cell_name
from lottery.runtime.parameters import ComputeParameters
from lottery.schemas import Score, StepRecord
from lottery.subnetwork import Kept, Subnetwork
from lottery.tasks import Task, get_task
from lottery.tickets.methods import Setting

Looks = Iterator[str | None]
Who = tuple[str, str, int]
"""Method, kind and draw of a subnetwork."""


@dataclass(frozen=True)
class FinishedRun:
    """Where a run keeps what it made, and the parameters that it was made with."""

    grid: GridParameters
    how: Setting
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
    """What a run made of one cell. Everything is read anew, with a UserError where it is not what it should be."""

    run: FinishedRun
    task: Task
    seed: int

    def __str__(self) -> str:
        return cell_name(self.task.name, self.seed)

    @property
    def model(self) -> Path:
        return self.run.models / self.task.name / str(self.seed)

    @property
    def draws(self) -> int:
        return self.run.how.controls.draws

    def splits(self) -> dict[str, Examples]:
        """What is reported on and, where there is any, what was held out for the searches."""
        files = {path.stem: path for path in (self.run.data / self.task.name).glob("*.safetensors")}
        found = {name: examples.load(files[name]) for name in sorted(files) if name != "train"}
        return {name: split for name, split in found.items() if len(split)}

    def subnetworks(self) -> Mapping[Who, Subnetwork]:
        """Good, random and bad ones of both methods."""
        kinds = [("good", 0), *(("random", draw) for draw in range(self.draws)), ("bad", 0)]
        return {
            (method, kind, draw): self._subnetwork(method, kind, draw)
            for method in ("structured", "magnitude")
            for kind, draw in kinds
        }

    def _subnetwork(self, method: str, kind: str, draw: int) -> Subnetwork:
        name = f"random-{draw}" if kind == "random" else kind
        path = self._folder(self.seed) / method / f"{name}.safetensors"
        found, identity = subnetwork.load(path)
        owner = {
            "task": self.task.name, "seed": self.seed, "method": method, "kind": kind, "draw": draw,
        }  # fmt: skip
        if identity != owner:
            raise UserError(f"{path}: says that it is {identity}")
        return found

    def every_seed(self) -> list[Subnetwork]:
        """The good heads and MLPs of every seed of the task."""
        folders = (self._folder(seed) for seed in self.run.grid.seeds)
        return [subnetwork.load(each / "structured" / "good.safetensors")[0] for each in folders]

    def _folder(self, seed: int) -> Path:
        return self.run.subnetworks / self.task.name / str(seed)

    def steps(self) -> pd.DataFrame:
        """The way down of both searches."""
        return self._records(StepRecord, self.run.subnetworks, "trajectory.parquet")

    def scores(self) -> pd.DataFrame:
        """Every score of the cell."""
        return self._records(Score, self.run.scores, *self.run.grid.tables)

    def _records(self, kind: type[Struct], folder: Path, *names: str) -> pd.DataFrame:
        cell = [(self.task.name, self.seed)]
        found: pd.DataFrame = records.read_cells(kind, cell, folder, *names).to_pandas()
        return found


def groups(method: str, kept: Subnetwork) -> Mapping[str, Kept]:
    """What is counted together: heads and MLPs, or all weights."""
    return {"weights": kept.flat} if method == "magnitude" else kept
