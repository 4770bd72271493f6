"""Models loaded in any program: batches in, logits out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lottery.data.examples import Examples, packed
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.model.evaluation import BATCH_TOKENS

Logits = NDArray[np.float64]
Ids = NDArray[np.int64]
Call = Callable[[], Logits]
"""Computes the logits [B, C] of a batch that is ready."""
Ready = Callable[[Examples], Call]
"""A model loaded in a program: from examples, as one batch in the form that the program takes, to its call."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""Names of what other programs take, in the order of `padded`."""


def logits(ready: Ready, examples: Examples) -> Logits:
    """Logits [N, C], in the order of the examples; they are computed in length-sorted batches."""
    parts = [
        (batch.rows_B, ready(examples.take(batch.rows_B))())
        for batch in packed(examples, BATCH_TOKENS["cpu"])
    ]
    rows_N, logits_NC = (np.concatenate(part) for part in zip(*parts, strict=True))
    ordered_NC: Logits = logits_NC[np.argsort(rows_N)]
    return ordered_NC


def of_encoder(encoder: Encoder) -> Ready:
    """The loaded model that is an encoder of this project."""

    def ready(examples: Examples) -> Call:
        batch = tokens(examples)
        return torch.inference_mode()(lambda: encoder(batch).double().numpy())

    return ready


def tokens(examples: Examples) -> PackedBatch:
    """All examples as one batch of this project."""
    return PackedBatch.pack(examples.ids_T, examples.types_T, examples.lengths_N)


def padded(examples: Examples) -> dict[str, Ids]:
    """All examples as rows [B, S] of ids, attention mask and token types, by name; padding is 0."""
    lengths_B = examples.lengths_N
    mask_BS = np.arange(lengths_B.max()) < lengths_B[:, None]
    ids_BS, types_BS = np.zeros((2, *mask_BS.shape), np.int64)
    ids_BS[mask_BS], types_BS[mask_BS] = examples.ids_T, examples.types_T
    arrays: tuple[NDArray[Any], ...] = (ids_BS, mask_BS.astype(np.int64), types_BS)
    return dict(zip(INPUTS, arrays, strict=True))
