"""Partial results of an interrupted stage, so that a rerun resumes.

Each entry is one file, written atomically. A journal belongs to one set of inputs: whoever opens it chooses a
folder that is named by them (`stages/shell/resume.py`).
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

from lottery.errors import MALFORMED

Arrays = Mapping[str, NDArray[Any]]
PLACEHOLDER = {"nothing": np.zeros(1, np.uint8)}
"""Saved if there are no arrays: a safetensors file holds at least one."""


@dataclass(frozen=True)
class Journal:
    """Finished units of work by name, stored in `folder`; without a folder nothing is stored.

    patience: seconds of work that justify a large entry, such as the state of a training.
    """

    folder: Path | None
    patience: float = 30.0

    def of(self, name: str) -> "Journal":
        """The journal of one part of the work, in a subfolder."""
        return replace(self, folder=self.folder / name) if self.folder else self

    def note(self, unit: str, values: Any, arrays: Arrays | None = None) -> None:
        """Store the result of a unit: `values` that JSON can represent, and arrays."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{unit}.{os.getpid()}"
        contiguous = {name: np.asarray(array, order="C") for name, array in (arrays or {}).items()}
        with draft.open("wb") as file:
            # safetensors does not promise an order of its tensors; `names` keeps that of the arrays
            metadata = {"values": json.dumps(values), "names": json.dumps([*contiguous])}
            file.write(save(contiguous or PLACEHOLDER, metadata))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / f"{unit}.safetensors")

    def recall(self, unit: str) -> tuple[Any, Arrays] | None:
        """The stored values and arrays, in their order; None if there are none or the file is damaged."""
        if self.folder is None:
            return None
        try:
            with safe_open(self.folder / f"{unit}.safetensors", framework="numpy") as file:
                metadata = {key: json.loads(text) for key, text in file.metadata().items()}
                arrays = {name: file.get_tensor(name) for name in metadata["names"]}
                return metadata["values"], arrays
        except (SafetensorError, *MALFORMED):
            return None

    def forget(self, unit: str) -> None:
        """Delete the entry of a unit, if there is one."""
        if self.folder is not None:
            (self.folder / f"{unit}.safetensors").unlink(missing_ok=True)

    def once(self, unit: str, work: Callable[[], Arrays]) -> Arrays:
        """The stored arrays of a unit; if there are none, those that `work` returns, which are then stored."""
        entry = self.recall(unit)
        if entry is not None:
            return entry[1]
        arrays = work()
        self.note(unit, None, arrays)
        return arrays


NO_JOURNAL = Journal(None)
