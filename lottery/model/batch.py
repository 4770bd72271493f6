"""Sentences end to end: a batch as real tokens alone, and its padded view for attention.

Suffixes: B examples, S the longest sentence, T real tokens, H heads, K head size.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class PackedBatch(NamedTuple):
    """A batch of sentences without padding, and where each token lies in the padded view."""

    ids_T: Tensor
    types_T: Tensor
    positions_T: Tensor
    example_T: Tensor
    first_B: Tensor
    slots_T: Tensor | None
    attendable_B11S: Tensor | None
    width: int

    @classmethod
    def of(
        cls,
        ids_T: NDArray[np.int32],
        types_T: NDArray[np.int8],
        lengths_B: NDArray[np.int32],
        device: torch.device | None = None,
    ) -> "PackedBatch":
        """Tokens of sentences that lie end to end, `lengths_B` tokens each."""
        lengths = lengths_B.astype(np.int64)
        first, width = np.cumsum(lengths) - lengths, int(lengths.max())
        example = np.repeat(np.arange(len(lengths)), lengths)
        positions = np.arange(len(ids_T)) - first[example]
        padded = bool((lengths < width).any())
        real_BS = np.arange(width) < lengths[:, None]

        def put(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        return cls(
            ids_T=put(ids_T.astype(np.int64)),
            types_T=put(types_T.astype(np.int64)),
            positions_T=put(positions),
            example_T=put(example),
            first_B=put(first),
            slots_T=put(example * width + positions) if padded else None,
            attendable_B11S=put(real_BS[:, None, None, :]) if padded else None,
            width=width,
        )

    def grid_BHSK(self, packed_THK: Tensor) -> Tensor:
        """The padded view of packed rows; what pads is zero."""
        _, heads, size = packed_THK.shape
        count = len(self.first_B)
        if self.slots_T is not None:
            empty = packed_THK.new_zeros(count * self.width, heads, size)
            packed_THK = empty.index_copy(0, self.slots_T, packed_THK)
        return packed_THK.view(count, self.width, heads, size).transpose(1, 2)

    def packed_THK(self, grid_BHSK: Tensor) -> Tensor:
        """The inverse of `grid_BHSK`: the real rows alone."""
        rows = grid_BHSK.transpose(1, 2).flatten(0, 1)
        return rows if self.slots_T is None else rows.index_select(0, self.slots_T)
