"""Peak speed of matrix products on this machine, for as many operations as the encoder's pass has."""

import time
from functools import cache

import numpy as np
import torch

from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from lottery.checkpoint.config import Config
from lottery.checkpoint.config import read as read_config

SIDE = 1024


def encoder_pass(load: Load) -> Act:
    """Square products that fit the caches, the fastest shape for one core."""
    config = read_config(load.folder)
    products = operations(config, load.examples.lengths_N) / (2 * SIDE**3)
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    whole = int(products)
    rows = int((products - whole) * SIDE)

    def act() -> Arrays:
        with torch.inference_mode():
            for _ in range(whole):
                left @ right
            left[:rows] @ right
        return {}

    return act


def operations(config: Config, lengths_N: np.ndarray) -> float:
    """Floating-point operations of a pass without padding; in the last layer, only those that [CLS] needs."""
    D, F, T, B = config.hidden_size, config.intermediate_size, lengths_N.sum(), len(lengths_N)
    token_pairs = float((lengths_N.astype(float) ** 2).sum())
    whole = T * (8 * D * D + 4 * D * F) + 4 * D * token_pairs
    last = T * 4 * D * D + B * (4 * D * D + 4 * D * F) + 4 * D * float(T)
    return float((config.num_hidden_layers - 1) * whole + last + B * 2 * D * D)


@cache
def fastest(dtype: torch.dtype = torch.float32) -> float:
    """Operations per second of CPU of a square product that fits the caches, the best of 20."""
    left, right = torch.rand(2, SIDE, SIDE).to(dtype)
    best = float("inf")
    for _ in range(20):
        started = time.process_time()
        left @ right
        best = min(best, time.process_time() - started)
    return 2 * SIDE**3 / best
