"""Check of an exported form: another program computes from its file what this project computes."""

import numpy as np

from lottery.errors import UserError
from lottery.export.ready import Logits

TOLERANCE = 1e-5
"""Largest difference of two logits that are equal but for rounding, relative to the largest logit if that exceeds 1."""


def require_equal(reader: str, expected_NC: Logits, logits_NC: Logits) -> None:
    """Raise UserError, naming the program that read the file, if its logits are not those of this project."""
    largest = float(np.abs(logits_NC - expected_NC).max())
    if not largest <= TOLERANCE * max(1.0, float(np.abs(expected_NC).max())):
        raise UserError(
            f"logits of {reader} differ from this project's by up to {largest:.1e}; nothing is written"
        )
