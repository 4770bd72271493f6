"""What one head does with its attention, in the mean over sentences: the record, and the cheap descriptors.

Suffixes: H heads, N tokens of a sentence.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float64]
State = Literal["pretrained", "finetuned", "pruned"]


class HeadProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A head's habits over `examples` sentences, in its maps of one `weighting`.

    `state` says whose maps they are: the pre-trained encoder's, which has no seed, the fine-tuned model's, or
    those of what s-pruning leaves of it. From `heterogeneous` to `mixed` it is the share of sentences in
    which the recogniser sees the pattern; `rule` is that of heterogeneous ones by rule, `agreement` that of
    sentences on which both say the same. For the rest see `descriptors`.
    """

    task: str
    seed: int | None
    state: State
    weighting: Literal["raw", "normed"]
    layer: int
    index: int
    examples: int
    heterogeneous: float
    block: float
    diagonal: float
    vertical: float
    mixed: float
    rule: float
    agreement: float
    entropy: float
    distance: float
    cls: float
    sep: float
    itself: float


def descriptors(maps_HNN: Maps, separator_N: NDArray[np.bool_]) -> dict[str, Maps]:
    """Numbers [H] of each map, rows scaled to sum to 1, in the mean over its rows.

    entropy: of a row, 1 for even attention and 0 for one token alone; distance: from the attending to the
    attended token, in tokens; cls, sep, itself: attention to the first token, to separators, to oneself.
    """
    size = len(separator_N)
    share_HNN = maps_HNN / maps_HNN.sum(axis=2, keepdims=True)
    entropy_HN = -(share_HNN * np.log(np.maximum(share_HNN, 1e-30))).sum(axis=2)
    distance_NN = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :])
    return {
        "entropy": entropy_HN.mean(axis=1) / np.log(size),
        "distance": (share_HNN * distance_NN).sum(axis=2).mean(axis=1),
        "cls": share_HNN[:, :, 0].mean(axis=1),
        "sep": share_HNN[:, :, separator_N].sum(axis=2).mean(axis=1),
        "itself": share_HNN.diagonal(axis1=1, axis2=2).mean(axis=1),
    }
