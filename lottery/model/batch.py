"""Batches of sentences with hardly any padding, and their padded view for attention.

Suffixes: B examples, S tokens of the longest sentence, T tokens, H heads, K head size.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# T and S are rounded up to multiples of these: on a CPU, the kernel of a matrix product is compiled for every new
# shape, which takes longer than the product and stays in memory.
TOKENS, LONGEST = 16, 8


class PackedBatch(NamedTuple):
    """A batch of sentences laid end to end, then fewer than `TOKENS` tokens of padding, to which none attends.

    example_T: the sentence of each token; cls_B: the first token of each sentence; slots_T: the place of each
    token in the flattened padded view [B * S], None if all sentences are equally long, as is the mask.
    bias_BHSS: what an encoder with a position bias adds to the attention scores of every head, -inf at padding.
    """

    ids_T: Tensor
    types_T: Tensor
    positions_T: Tensor
    example_T: Tensor
    cls_B: Tensor
    slots_T: Tensor | None
    attention_mask_B11S: Tensor | None
    longest: int
    bias_BHSS: Tensor | None = None

    @classmethod
    def pack(
        cls,
        ids_T: NDArray[np.int32],
        types_T: NDArray[np.int8],
        lengths_B: NDArray[np.int32],
        device: torch.device | None = None,
    ) -> "PackedBatch":
        """The batch of sentences that lie end to end, `lengths_B` tokens each, on the device."""
        lengths, longest = lengths_B.astype(np.int64), int(lengths_B.max())
        padded = bool((lengths < longest).any())
        if padded:
            longest = -(-longest // LONGEST) * LONGEST
        real_BS = np.arange(longest) < lengths[:, None]
        padding = np.flatnonzero(~real_BS)[: -len(ids_T) % TOKENS]
        slots = np.flatnonzero(real_BS)
        example, positions = np.divmod(slots, longest)

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        def tokens(array: NDArray[np.signedinteger]) -> Tensor:
            return tensor(np.pad(array.astype(np.int64), (0, len(padding))))

        return cls(
            ids_T=tokens(ids_T),
            types_T=tokens(types_T),
            positions_T=tokens(positions),
            example_T=tokens(example),
            cls_B=tensor(np.cumsum(lengths) - lengths),
            slots_T=tensor(np.append(slots, padding)) if padded else None,
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
