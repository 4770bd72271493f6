"""Magnitude as a saliency."""

from collections.abc import Collection

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.tasks import Task
from lottery.tickets.saliency.weights import WeightSaliency, arrays, named


def magnitude(
    encoder: Encoder, _examples: Examples, _task: Task, names: Collection[str]
) -> WeightSaliency:
    """|w| of each weight; no data are needed."""
    weights = named(encoder, names)
    return WeightSaliency(arrays({name: weight.abs() for name, weight in weights.items()}))
