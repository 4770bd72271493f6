"""Attention profile of one head, averaged over sentences, and the descriptors in it.

Apart from `profile`, because the analysis reads these records without importing torch.

Suffixes: H heads, N tokens of a sentence.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float64]
State = Literal["pretrained", "finetuned", "pruned"]
Weighting = Literal["raw", "normed"]


class HeadProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Attention profile of one head, averaged over `examples` sentences.

    state: the encoder that the head is part of: pre-trained (seed None), fine-tuned, or what s-pruning leaves
    of it. weighting: of its maps, by attention weights (raw) or by norms of the transformed value vectors
    (normed). heterogeneous to mixed: share of sentences whose map the classifier assigns to the pattern. rule:
    share that the rule calls heterogeneous. agreement: share on which classifier and rule agree. entropy to
    itself: see `descriptors`.
    """

    task: str
    seed: int | None
    state: State
    weighting: Weighting
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
    """Descriptors [H] of each map, its rows scaled to sum to 1, averaged over the rows.

    entropy: of a row, from 0 for a single token to 1 for uniform attention; distance: from the attending to the
    attended token, in tokens; cls, sep, itself: attention to [CLS], to separators, to the attending token itself.
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
