"""The prunable matrices at work: their inputs and outputs in a pass over a batch.

Suffixes: R rows that a matrix computes (tokens, or sentences where only [CLS] is computed), I inputs, O outputs, B
sentences of a batch.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lottery.model.encoder import Encoder


class Product(NamedTuple):
    """The inputs [R, I] of a matrix and its outputs [R, O] for them."""

    input_RI: Tensor
    output_RO: Tensor


@contextmanager
def products(encoder: Encoder, names: Collection[str]) -> Iterator[dict[str, Product]]:
    """A dictionary that holds the product of each named matrix in the encoder's last pass, by the matrix' name."""
    seen: dict[str, Product] = {}
    handles = []
    for module_name, module in encoder.named_modules():
        if (name := f"{module_name}.weight") in names:

            def record(_: Any, inputs: tuple[Tensor], output: Tensor, name: str = name) -> None:
                seen[name] = Product(inputs[0].detach(), output)

            handles.append(module.register_forward_hook(record))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def row_counts(rows: int, lengths_B: NDArray[np.int32]) -> list[int]:
    """The number of rows of each sentence, one after the other: its tokens, or one where only [CLS] is computed.

    Rows beyond their sum are padding.
    """
    return [1] * rows if rows == len(lengths_B) else lengths_B.tolist()


def matrix_of(name: str) -> str:
    """The name of the matrix that a weight belongs to: its own, or that of the matrix of a bias."""
    return name.removesuffix(".bias") + ".weight" if name.endswith(".bias") else name
