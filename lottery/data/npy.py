"""Arrays of numbers that others saved as .npy: nothing is unpickled, nothing is unzipped."""

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib.format import read_array
from numpy.typing import NDArray

from lottery.errors import UserError

# What numpy raises over a header that is none, besides what it documents.
BROKEN = (
    OSError, ValueError, TypeError, LookupError, SyntaxError, TokenError, MemoryError, OverflowError,
    RecursionError,
)  # fmt: skip


def read(path: Path) -> NDArray[Any]:
    """The array in `path`; a UserError where there is none or it holds anything but real numbers."""
    try:
        with path.open("rb") as file:
            array: NDArray[Any] = read_array(file, allow_pickle=False)
    except BROKEN as error:
        raise UserError(f"{path}: no readable array: {error}; save it with numpy.save") from None
    if array.dtype.kind not in "biuf":
        raise UserError(f"{path}: an array of {array.dtype}; numbers are expected")
    return array.astype(np.float64)
