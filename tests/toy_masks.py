"""Masks of searches that never ran: seeds of a task like the same heads, and all like the same weights."""

import numpy as np

from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.ticket import Key
from lottery.tickets.methods import METHODS


def kept(
    key: Key, task: str, layers: int, heads: int, generator: np.random.Generator
) -> Subnetwork:
    """About half of the components, exactly half at a matched sparsity."""
    if not METHODS[key.method].prunes_weights:
        return _components(task, (layers, heads), generator, exact=key.matched is not None)
    noise = 0.0 if key.kind == "pretrained" else 0.02
    return _weights(layers, 2 * heads, generator, noise)


def _components(
    name: str, shape: tuple[int, int], generator: np.random.Generator, exact: bool
) -> Subnetwork:
    preference = rng(name, "liking").random(shape)
    liking = preference + generator.normal(0, 0.5, preference.shape)
    mlps = generator.random(shape[0]) - np.linspace(0.9, 0.5, shape[0])
    return Subnetwork(
        {
            "heads": liking > (np.median(liking) if exact else 0.55),
            "mlps": mlps < (np.median(mlps) if exact else 0.0),
        }
    )


def _weights(layers: int, width: int, generator: np.random.Generator, noise: float) -> Subnetwork:
    magnitudes = rng("magnitudes")
    square, tall = (width, width), (4 * width, width)
    parts = {}
    for layer in range(layers):
        at, share = f"layers.{layer}", 0.5 + 0.04 * layer / layers
        names = {
            **{f"attention.{name}": square for name in ("query", "key", "value", "output")},
            "mlp.expand": tall,
            "mlp.contract": tall[::-1],
        }
        for name, shape in names.items():
            moved = magnitudes.random(shape) + generator.normal(0, noise, shape)
            parts[f"{at}.{name}.weight"] = moved < share
    return Subnetwork(parts)
