"""Arrays of numbers from .npy files made by others; nothing is unpickled or unzipped."""

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib.format import read_array
from numpy.typing import NDArray

from lottery.errors import MALFORMED, UserError


def read(path: Path) -> NDArray[Any]:
    """The array in `path` as float64. Raises UserError if it is missing, malformed, or not of real numbers."""
    try:
        with path.open("rb") as file:
            array: NDArray[Any] = read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: missing") from None
    except (SyntaxError, TokenError, *MALFORMED) as error:
        raise UserError(f"{path}: no readable array: {error}; save it with numpy.save") from None
    if array.dtype.kind not in "biuf":
        raise UserError(f"{path}: the array holds {array.dtype}; expected numbers")
    return array.astype(np.float64)
