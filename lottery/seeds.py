"""Named random streams: each use of randomness has its own, independent of what ran before it."""

import hashlib

import numpy as np


def entropy(*names: str | int) -> int:
    """A 63-bit seed derived from names, the same on every machine and in any order of calls."""
    # Types and a separator tell 1 from "1", and ("a", "b") from ("ab",).
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(*names: str | int) -> np.random.Generator:
    """The random stream with these names, e.g. `rng(seed, "random", task, method, draw)`."""
    return np.random.default_rng(entropy(*names))
