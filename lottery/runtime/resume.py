"""What an unfinished piece of work has finished so far, so that the next try goes on from there.

Each unit is a file that is there whole or not at all. A journal belongs to one set of inputs: whoever opens
it chooses a folder named by them.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Journal:
    """Units of work by name, in `folder`; without one nothing is kept.

    patience: seconds of work that are worth a large entry, such as the state of a training.
    """

    folder: Path | None
    patience: float = 30.0

    def of(self, name: str) -> "Journal":
        """The journal of a part of the work."""
        return replace(self, folder=self.folder / name) if self.folder else self

    def note(self, unit: str, values: Any, arrays: Arrays | None = None) -> None:
        """Keep what came out: `values` that JSON can hold, and arrays."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{unit}.{os.getpid()}"
        with draft.open("wb") as file:
            told = {"values": json.dumps(values), "names": json.dumps([*(arrays or {})])}
            file.write(save(_whole(arrays or {}), told))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / f"{unit}.safetensors")

    def recall(self, unit: str) -> tuple[Any, Arrays] | None:
        """What was kept, the arrays in their order; None where there is nothing, or nothing that can be read."""
        if self.folder is None:
            return None
        try:
            with safe_open(self.folder / f"{unit}.safetensors", framework="numpy") as file:
                told = {key: json.loads(text) for key, text in file.metadata().items()}
                return told["values"], {name: file.get_tensor(name) for name in told["names"]}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None

    def forget(self, unit: str) -> None:
        """Drop what was kept, if anything was."""
        if self.folder is not None:
            (self.folder / f"{unit}.safetensors").unlink(missing_ok=True)

    def once(self, unit: str, work: Callable[[], Any]) -> Any:
        """What `work` returned when it was done first; it is done where nothing was kept."""
        known = self.recall(unit)
        if known is not None:
            return known[0]
        values = work()
        self.note(unit, values)
        return values


NOWHERE = Journal(None)
EMPTY = "nothing"
"""A file of tensors holds at least one."""


def _whole(arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(array, order="C") for name, array in arrays.items()} or {
        EMPTY: np.zeros(1, np.uint8)
    }
