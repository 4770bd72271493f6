"""Random numbers as a saliency, the floor of all others."""

import hashlib
from collections.abc import Collection

import numpy as np

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.seeds import rng
from lottery.tasks import Task
from lottery.tickets.saliency.weights import WeightSaliency, arrays, named


def random(
    encoder: Encoder, _examples: Examples, task: Task, names: Collection[str]
) -> WeightSaliency:
    """Uniform random numbers.

    The classifier, which no search prunes, names the stream: models of other seeds have another one, and all steps of
    a search the same.
    """
    weights = named(encoder, names)
    [classifier] = arrays({"classifier": encoder.classifier.weight}).values()
    stream = rng("random saliency", task.name, hashlib.sha256(classifier.tobytes()).hexdigest())
    return WeightSaliency(
        {name: stream.random(tuple(w.shape), dtype=np.float32) for name, w in weights.items()}
    )
