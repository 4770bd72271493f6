"""Checks of an exported folder: other programs compute from its files what this project computes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from lottery.data.examples import Examples, packed
from lottery.errors import UserError

TOLERANCE = 1e-5
"""Largest difference of two logits that are equal but for rounding, relative to the largest logit if that exceeds 1."""
BUDGET = 2048
"""Padded tokens of a batch."""
Logits = NDArray[np.float64]
Ids = NDArray[np.int64]


def require_equal(reader: str, expected_NC: Logits, logits_NC: Logits) -> None:
    """Raise UserError, naming the program that read the files, if its logits are not those of this project."""
    largest = float(np.abs(logits_NC - expected_NC).max())
    if not largest <= TOLERANCE * max(1.0, float(np.abs(expected_NC).max())):
        raise UserError(
            f"logits of {reader} differ from this project's by up to {largest:.1e}; nothing is written"
        )


def transformers_logits(folder: Path, examples: Examples) -> Logits:
    """Logits [N, C] of the model that transformers reads from a folder, in the order of the examples."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()
    logits_NC = np.empty((len(examples), model.config.num_labels))
    with torch.inference_mode():
        for rows_B, *inputs in padded_batches(examples):
            ids_BS, mask_BS, types_BS = (torch.from_numpy(array) for array in inputs)
            output = model(input_ids=ids_BS, attention_mask=mask_BS, token_type_ids=types_BS)
            logits_NC[rows_B] = output.logits.double().numpy()
    return logits_NC


def padded_batches(examples: Examples) -> Iterator[tuple[Ids, Ids, Ids, Ids]]:
    """Length-sorted batches: indices [B] of the examples, their ids, attention mask and token types [B, S]."""
    for batch in packed(examples, BUDGET):
        yield batch.rows_B, *padded(batch.ids_T, batch.types_T, batch.lengths_B)


def padded(
    ids_T: NDArray[np.int32], types_T: NDArray[np.int8], lengths_B: NDArray[np.int32]
) -> tuple[Ids, Ids, Ids]:
    """Sentences that lie end to end as rows [B, S] of ids, attention mask and token types; padding is 0."""
    mask_BS = np.arange(lengths_B.max()) < lengths_B[:, None]
    ids_BS, types_BS = np.zeros((2, *mask_BS.shape), np.int64)
    ids_BS[mask_BS], types_BS[mask_BS] = ids_T, types_T
    return ids_BS, mask_BS.astype(np.int64), types_BS
