"""Batches of sentences without padding, and their padded view for attention.

Suffixes: B examples, S tokens of the longest sentence, T real tokens, H heads, K head size.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class PackedBatch(NamedTuple):
    """A batch of sentences laid end to end, without padding.

    example_T: the sentence of each token; cls_B: the first token of each sentence; slots_T: the place of each
    token in the flattened padded view [B * S], None if all sentences are equally long, as is the mask.
    """

    ids_T: Tensor
    types_T: Tensor
    positions_T: Tensor
    example_T: Tensor
    cls_B: Tensor
    slots_T: Tensor | None
    attention_mask_B11S: Tensor | None
    longest: int

    @classmethod
    def pack(
        cls,
        ids_T: NDArray[np.int32],
        types_T: NDArray[np.int8],
        lengths_B: NDArray[np.int32],
        device: torch.device | None = None,
    ) -> "PackedBatch":
        """The batch of sentences that lie end to end, `lengths_B` tokens each, on the device."""
        lengths = lengths_B.astype(np.int64)
        first, longest = np.cumsum(lengths) - lengths, int(lengths.max())
        example = np.repeat(np.arange(len(lengths)), lengths)
        positions = np.arange(len(ids_T)) - first[example]
        padded = bool((lengths < longest).any())
        real_BS = np.arange(longest) < lengths[:, None]

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        return cls(
            ids_T=tensor(ids_T.astype(np.int64)),
            types_T=tensor(types_T.astype(np.int64)),
            positions_T=tensor(positions),
            example_T=tensor(example),
            cls_B=tensor(first),
            slots_T=tensor(example * longest + positions) if padded else None,
            attention_mask_B11S=tensor(real_BS[:, None, None, :]) if padded else None,
            longest=longest,
        )

    def pad(self, rows_THK: Tensor) -> Tensor:
        """The padded view [B, H, S, K] of packed rows; padding is 0."""
        _, heads, size = rows_THK.shape
        count = len(self.cls_B)
        if self.slots_T is not None:
            zeros = rows_THK.new_zeros(count * self.longest, heads, size)
            rows_THK = zeros.index_copy(0, self.slots_T, rows_THK)
        return rows_THK.view(count, self.longest, heads, size).transpose(1, 2)

    def unpad(self, padded_BHSK: Tensor) -> Tensor:
        """The packed rows [T, H, K] of a padded view, the inverse of `pad`."""
        rows = padded_BHSK.transpose(1, 2).flatten(0, 1)
        return rows if self.slots_T is None else rows.index_select(0, self.slots_T)
