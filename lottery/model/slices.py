"""Tensors of a layer without some of its heads or neurons, in place of those with all of them."""

from collections.abc import MutableMapping
from itertools import product

from torch import Tensor

State = MutableMapping[str, Tensor]


def keep_heads(state: State, attention: str, rows: Tensor) -> None:
    """Keep the outputs `rows` of query, key and value, and the same columns of the output projection."""
    for projection, kind in product(("query", "key", "value"), ("weight", "bias")):
        state[f"{attention}.{projection}.{kind}"] = state[f"{attention}.{projection}.{kind}"][rows]
    state[f"{attention}.output.weight"] = state[f"{attention}.output.weight"][:, rows]


def keep_neurons(state: State, mlp: str, kept_F: Tensor) -> None:
    """Keep some neurons of an MLP: rows of its first projection, and the same columns of its second."""
    for kind in ("weight", "bias"):
        state[f"{mlp}.expand.{kind}"] = state[f"{mlp}.expand.{kind}"][kept_F]
    state[f"{mlp}.contract.weight"] = state[f"{mlp}.contract.weight"][:, kept_F]
