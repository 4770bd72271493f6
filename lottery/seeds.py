"""Random streams by name: each cell of the experiment has its own, whatever ran before it."""

import hashlib

import numpy as np


def entropy(*names: str | int) -> int:
    """A 63-bit seed made from names, the same on every machine and in every order of calls."""
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(*names: str | int) -> np.random.Generator:
    """A numpy generator of its own for the cell `names`, e.g. `rng(seed, "random", task, draw)`."""
    return np.random.default_rng(entropy(*names))
